import {
  type Accepted,
  type ClientId,
  type ClientRecord,
  type Epoch,
  KeyError,
  LAST_BYTES,
  SECRET_BYTES,
} from "@pawl/protocol";

/** A compare-and-set: `next` in place of what is stored, if that has still this generation and epoch and is not revoked. */
export interface Commit {
  readonly clientId: ClientId;
  readonly expected: { readonly generation: bigint; readonly epoch: Epoch };
  readonly next: { readonly epoch: Epoch; readonly secret: Uint8Array };
  /** With a first packet: recorded, `lastSeen` set, the window back to its default. Null for a catch-up: none of it. */
  readonly accepted: Accepted | null;
}

export type CommitOutcome =
  | { readonly outcome: "done" }
  /** Another record was there: `current`, null where the client is gone. */
  | { readonly outcome: "lost"; readonly current: ClientRecord | null };

/**
 * Refuses a commit that no server may make, whatever is stored: an epoch never stays or goes back.
 * @throws KeyError, RangeError
 */
export function checkCommit(change: Commit): void {
  if (change.next.secret.length !== SECRET_BYTES) {
    throw new KeyError(`an epoch secret has ${SECRET_BYTES} bytes, not ${change.next.secret.length}`);
  }
  if (change.accepted !== null && change.accepted.t.length !== LAST_BYTES) {
    throw new RangeError(`a commit records ${LAST_BYTES} bytes of T, not ${change.accepted.t.length}`);
  }
  if (change.next.epoch <= change.expected.epoch) {
    throw new RangeError(
      `a commit moves the epoch forward, not from ${change.expected.epoch} to ${change.next.epoch}`,
    );
  }
}
