import {
  copyOf,
  type Direction,
  decodeHeader,
  type Header,
  LENGTH_BYTES,
  type Opcode,
  SUITES,
} from "@pawl/protocol";

/** A frame on its way, as the man in the middle sees it: the header in the clear, the rest sealed. */
export interface ObservedFrame {
  /** Counts the connections of a recording, from 1. */
  readonly connection: number;
  /** Counts the frames of this connection in both directions, from 1, in the order in which they were seen whole. */
  readonly index: number;
  readonly direction: Direction;
  /** Length and packet. */
  readonly bytes: Uint8Array;
  /** Null where the packet has no legal header. */
  readonly header: Header | null;
}

/** A frame with its header read. @param bytes length and packet */
export function observe(
  connection: number,
  index: number,
  direction: Direction,
  bytes: Uint8Array,
): ObservedFrame {
  return { connection, index, direction, bytes, header: headerOf(copyOf(bytes, LENGTH_BYTES)) };
}

/** The header in the clear, or null. */
export function headerOf(packet: Uint8Array): Header | null {
  try {
    return decodeHeader(packet, SUITES);
  } catch {
    return null;
  }
}

/** For programs: frames of these kinds, in whatever direction they go. */
export function is(...opcodes: readonly Opcode[]): (frame: ObservedFrame) => boolean {
  return ({ header }) => header !== null && opcodes.includes(header.opcode);
}
