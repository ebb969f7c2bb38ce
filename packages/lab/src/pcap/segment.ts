import { writeU32 } from "@pawl/protocol";

/** One end of a TCP connection. */
export interface Endpoint {
  /** Four bytes. */
  readonly address: readonly number[];
  readonly port: number;
}

export const TCP_FLAGS = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

export interface Segment {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly seq: number;
  readonly ack: number;
  /** A sum of `TCP_FLAGS`. */
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** Bytes of payload in one segment: what Ethernet carries. Said in each SYN. */
export const MAX_SEGMENT = 1460;
/** Bytes that may be on their way unacknowledged: the most without window scaling. */
export const WINDOW = 65_535;

const IP_HEADER_BYTES = 20;
const TCP_HEADER_BYTES = 20;
/** Kind 2, four bytes long (RFC 9293, 3.7.1). */
const MSS_OPTION = [2, 4, MAX_SEGMENT >> 8, MAX_SEGMENT & 0xff];
const DONT_FRAGMENT = 0x4000;
const TIME_TO_LIVE = 64;
const PROTOCOL_TCP = 6;

/** An IPv4 packet with one TCP segment in it, both checksums right (RFC 791, RFC 9293). */
export function packetOf({ from, to, seq, ack, flags, payload }: Segment): Uint8Array {
  const options = (flags & TCP_FLAGS.syn) === 0 ? [] : MSS_OPTION;
  const headerBytes = TCP_HEADER_BYTES + options.length;
  const packet = new Uint8Array(IP_HEADER_BYTES + headerBytes + payload.length);

  packet[0] = (4 << 4) | (IP_HEADER_BYTES / 4);
  writeU16(packet, packet.length, 2);
  writeU16(packet, DONT_FRAGMENT, 6);
  packet[8] = TIME_TO_LIVE;
  packet[9] = PROTOCOL_TCP;
  packet.set(from.address, 12);
  packet.set(to.address, 16);
  writeU16(packet, checksum(packet.subarray(0, IP_HEADER_BYTES)), 10);

  const segment = packet.subarray(IP_HEADER_BYTES);
  writeU16(segment, from.port, 0);
  writeU16(segment, to.port, 2);
  writeU32(segment, seq, 4);
  writeU32(segment, ack, 8);
  segment[12] = (headerBytes / 4) << 4;
  segment[13] = flags;
  writeU16(segment, WINDOW, 14);
  segment.set(options, TCP_HEADER_BYTES);
  segment.set(payload, headerBytes);
  const pseudoHeader = Uint8Array.of(...from.address, ...to.address, 0, PROTOCOL_TCP, 0, 0);
  writeU16(pseudoHeader, segment.length, 10);
  writeU16(segment, checksum(pseudoHeader, segment), 16);
  return packet;
}

/** The ones' complement of the ones' complement sum of all 16-bit words (RFC 1071). */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += ((part[at] ?? 0) << 8) | (part[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

function writeU16(bytes: Uint8Array, value: number, offset: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}
