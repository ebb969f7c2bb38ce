import type { Suite } from "@pawl/protocol";

/** One direction of a session after its handshake, both ends of it, to be sealed into and opened from in turn. */
export interface Channel {
  /** The frame, length and all. */
  seal(message: Uint8Array): Uint8Array;
  /** The message of the next packet, which is a frame without its length. @throws where it is not that packet */
  open(packet: Uint8Array): Uint8Array;
}

/** A channel from its first chain, 32 bytes, which it takes a copy of. */
export type OpenChannel = (suite: Suite, chain: Uint8Array) => Channel;

/** Who seals: a bench has one client, in one epoch. */
export const CLIENT_ID = 1;
export const EPOCH = 0;
export const FIRST_ROUND = 1;
