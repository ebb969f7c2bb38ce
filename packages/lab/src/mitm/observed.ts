import { concat, type Direction, decodeHeader, type Header, type Opcode, SUITES, u32 } from "@pawl/protocol";

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

/** The header in the clear, or null. */
export function headerOf(packet: Uint8Array): Header | null {
  try {
    return decodeHeader(packet, SUITES);
  } catch {
    return null;
  }
}

export function frameOf(packet: Uint8Array): Uint8Array {
  return concat(u32(packet.length), packet);
}

/** For programs: frames of these kinds, in whatever direction they go. */
export function is(...opcodes: readonly Opcode[]): (frame: ObservedFrame) => boolean {
  return ({ header }) => header !== null && opcodes.includes(header.opcode);
}
