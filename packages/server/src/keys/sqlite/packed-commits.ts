import { type ClientId, copyOf, type Epoch, LAST_BYTES, SECRET_BYTES, wipe } from "@pawl/protocol";
import type { CommitOperation, Operation } from "./messages.ts";

/**
 * A batch of commits in one piece of memory, which is handed to the writer's thread: as objects, each with four arrays, they
 * cost three times as much on their way.
 */

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

export function areCommits(operations: readonly Operation[]): operations is readonly CommitOperation[] {
  return operations.every(({ kind }) => kind === "commit");
}

/** Overwrites their secrets: the copy that is returned, in memory of its own, is the only one. */
export function packCommits(commits: readonly CommitOperation[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(commits.length * COMMIT_BYTES);
  const view = new DataView(packed.buffer);
  for (const [index, commit] of commits.entries()) {
    const start = index * COMMIT_BYTES;
    const { accepted, secret } = commit;
    view.setUint32(start, commit.clientId);
    view.setUint32(start + EXPECTED_EPOCH, commit.expectedEpoch);
    view.setUint32(start + EPOCH, commit.epoch);
    view.setFloat64(start + AT, commit.at);
    view.setBigUint64(start + GENERATION, commit.generation);
    packed.set(secret, start + SECRET);
    wipe(secret);
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
      generation: view.getBigUint64(start + GENERATION),
      expectedEpoch: view.getUint32(start + EXPECTED_EPOCH) as Epoch,
      epoch: view.getUint32(start + EPOCH) as Epoch,
      secret: packed.subarray(start + SECRET, start + T),
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
