import { type ClientId, type Epoch, samePublicBytes } from "./bytes.ts";
import { EpochError } from "./errors.ts";
import { LAST_EPOCH } from "./limits.ts";
import type { TerminateReason } from "./reasons.ts";
import type { Suite } from "./suites.ts";

/** Section 4.5: the last session whose first packet was committed. */
export interface Accepted {
  readonly epoch: Epoch;
  /** The first 16 bytes of `T`. */
  readonly t: Uint8Array;
}

/** What a server's session needs to know of a client (section 4.5); a key store keeps more beside it. */
export interface ClientRecord {
  readonly clientId: ClientId;
  readonly suite: Suite;
  /** 64 random bits, drawn anew at each add, import, reissue, revoke and restore. */
  readonly generation: bigint;
  /** 0 in classic. */
  readonly epoch: Epoch;
  /** `E_epoch`, 32 bytes; in classic the base key. The reader's own copy, to be overwritten after use. */
  readonly secret: Uint8Array;
  readonly accepted: Accepted | null;
  /** How far ahead a HELLO may be. */
  readonly window: number;
  readonly revoked: boolean;
}

/** A record whose secret is held elsewhere, or not any more. */
export type RecordWithoutSecret = Omit<ClientRecord, "secret">;

export function withoutSecret(record: ClientRecord): RecordWithoutSecret {
  const { secret: _secret, ...rest } = record;
  return rest;
}

/** Check 6 on a HELLO (section 4.5.2): not behind, not beyond the window. @throws EpochError */
export function checkHelloEpoch(epoch: Epoch, { epoch: stored, window }: RecordWithoutSecret): void {
  if (epoch === LAST_EPOCH) throw new EpochError("HELLO at the last epoch; reissue the client");
  if (epoch < stored) throw new EpochError(`HELLO at epoch ${epoch}, behind the stored ${stored}`);
  if (epoch > Math.min(stored + window, LAST_EPOCH)) {
    throw new EpochError(`HELLO at epoch ${epoch}, more than ${window} ahead of ${stored}`);
  }
}

/** Whether the session that was accepted at `epoch` is another than the one of `t` (16 bytes): two holders exist. */
export function acceptedAnother(accepted: Accepted | null, epoch: number, t: Uint8Array): boolean {
  return accepted !== null && accepted.epoch === epoch && !samePublicBytes(accepted.t, t);
}

/**
 * Section 4.5.4: what TERMINATE says to a session whose first packet lost its compare-and-set.
 * @param current what is stored now, null where the client is gone, undefined where the outcome is unknown
 */
export function reasonOfLoss(
  current: RecordWithoutSecret | null | undefined,
  generation: bigint,
): TerminateReason {
  if (current === undefined) return "conflict";
  if (current === null || current.revoked) return "revoked";
  return current.generation === generation ? "conflict" : "superseded";
}
