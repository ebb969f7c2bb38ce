import type { Channel } from "@pawl/bench";
import { LENGTH_BYTES, type Suite } from "@pawl/protocol";

/** A channel of one direction of a session from its first chain, 32 bytes, which it takes a copy of. */
export type OpenChannel = (suite: Suite, chain: Uint8Array) => Channel;

/** Who seals: a bench has one client, in one epoch. */
export const CLIENT_ID = 1;
export const EPOCH = 0;
export const FIRST_ROUND = 1;

export function packetOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(LENGTH_BYTES);
}
