import { type ClientId, copyOf, type Epoch, LAST_BYTES, SECRET_BYTES, wipe } from "@pawl/protocol";
import type { Commit } from "./commit.ts";

/**
 * Commits in one piece of memory, to be handed to the thread that writes, or to another process: as objects, each with four
 * arrays, they cost a multiple of that on their way.
 */

/** A commit on its way. */
export interface CommitOperation extends Commit {
  readonly kind: "commit";
  /** Milliseconds since 1970. */
  readonly at: number;
}

const EXPECTED_EPOCH = 4;
const EPOCH = 8;
const ACCEPTED_EPOCH = 12;
const AT = 16;
const GENERATION = 24;
const SECRET = 32;
const T = SECRET + SECRET_BYTES;
const IS_ACCEPTED = T + LAST_BYTES;
/** So that numbers lie where a processor likes them. */
export const COMMIT_BYTES = 88;

/** With copies of its own of what `commit` holds. */
export function commitOperation({ clientId, expected, next, accepted }: Commit, at: number): CommitOperation {
  return {
    kind: "commit",
    clientId,
    expected,
    next: { epoch: next.epoch, secret: copyOf(next.secret) },
    accepted: accepted === null ? null : { epoch: accepted.epoch, t: copyOf(accepted.t) },
    at,
  };
}

/** Overwrites their secrets: the copy that is returned, in memory of its own, is the only one. */
export function packCommits(commits: readonly CommitOperation[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(commits.length * COMMIT_BYTES);
  const view = new DataView(packed.buffer);
  for (const [index, { clientId, expected, next, accepted, at }] of commits.entries()) {
    const start = index * COMMIT_BYTES;
    view.setUint32(start, clientId);
    view.setUint32(start + EXPECTED_EPOCH, expected.epoch);
    view.setUint32(start + EPOCH, next.epoch);
    view.setFloat64(start + AT, at);
    view.setBigUint64(start + GENERATION, expected.generation);
    packed.set(next.secret, start + SECRET);
    wipe(next.secret);
    if (accepted === null) continue;
    view.setUint32(start + ACCEPTED_EPOCH, accepted.epoch);
    packed.set(accepted.t, start + T);
    packed[start + IS_ACCEPTED] = 1;
  }
  return packed;
}

/** Their secrets lie in `packed` still. */
export function unpackCommits(packed: Uint8Array): CommitOperation[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  return Array.from({ length: packed.length / COMMIT_BYTES }, (_, index) => {
    const start = index * COMMIT_BYTES;
    return {
      kind: "commit",
      clientId: view.getUint32(start) as ClientId,
      expected: {
        generation: view.getBigUint64(start + GENERATION),
        epoch: view.getUint32(start + EXPECTED_EPOCH) as Epoch,
      },
      next: {
        epoch: view.getUint32(start + EPOCH) as Epoch,
        secret: packed.subarray(start + SECRET, start + T),
      },
      accepted:
        packed[start + IS_ACCEPTED] === 0
          ? null
          : {
              epoch: view.getUint32(start + ACCEPTED_EPOCH) as Epoch,
              t: copyOf(packed, start + T, start + IS_ACCEPTED),
            },
      at: view.getFloat64(start + AT),
    };
  });
}
