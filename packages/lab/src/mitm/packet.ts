import { copyOf, HEADER_BYTES, LENGTH_BYTES, readU8, type Suite, suiteById, writeU32 } from "@pawl/protocol";

/** A named part of a packet (PROTOCOL.md, 1). */
export interface Span {
  readonly name: string;
  /** Offset into the packet, behind the frame's length. */
  readonly at: number;
  readonly bytes: number;
}

const HEADER_SPANS: readonly Span[] = [
  { name: "suite", at: 0, bytes: 1 },
  { name: "opcode", at: 1, bytes: 1 },
  { name: "direction", at: 2, bytes: 1 },
  { name: "reserved", at: 3, bytes: 1 },
  { name: "clientId", at: 4, bytes: 4 },
  { name: "epoch", at: 8, bytes: 4 },
  { name: "round", at: 12, bytes: 4 },
];

const BLOCK = 16;

/** The parts of a frame's packet in order; the ciphertext of a CBC suite block by block. */
export function spansOf(frame: Uint8Array): Span[] {
  const suite = suiteById(frame[LENGTH_BYTES] ?? 0);
  const length = frame.length - LENGTH_BYTES;
  if (suite === undefined) return HEADER_SPANS.filter(({ at, bytes }) => at + bytes <= length);
  const { ivBytes, tagBytes, cipher } = suite;
  const body = HEADER_BYTES + ivBytes;
  const end = length - tagBytes;
  const spans: Span[] = [
    ...HEADER_SPANS,
    { name: cipher === "gcm" ? "nonce" : "iv", at: HEADER_BYTES, bytes: ivBytes },
  ];
  const step = cipher === "gcm" ? Math.max(1, end - body) : BLOCK;
  for (let at = body, block = 1; at < end; at += step, block++) {
    const name = cipher === "gcm" ? "ciphertext" : `ciphertext block ${block}`;
    spans.push({ name, at, bytes: Math.min(step, end - at) });
  }
  spans.push({ name: "tag", at: end, bytes: tagBytes });
  return spans;
}

/** The name of the part that the byte at `offset` of the packet belongs to. */
export function spanAt(frame: Uint8Array, offset: number): string {
  return spansOf(frame).find(({ at, bytes }) => offset >= at && offset < at + bytes)?.name ?? "nothing";
}

/**
 * A copy with one bit turned.
 * @param offset into the packet, behind the frame's length, whose own bytes are at −4 … −1
 * @throws RangeError where the frame has no such byte
 */
export function flipBit(frame: Uint8Array, offset: number, bit: number): Uint8Array {
  const out = copyOf(frame);
  const at = LENGTH_BYTES + offset;
  out[at] = readU8(frame, at) ^ (1 << bit);
  return out;
}

/** What a header's field is to become. */
export interface HeaderChange {
  readonly suite?: Suite;
  readonly opcode?: number;
  readonly direction?: number;
  readonly reserved?: number;
  readonly clientId?: number;
  readonly epoch?: number;
  readonly round?: number;
}

/** A copy with other values in its header, legal or not. */
export function withHeader(frame: Uint8Array, change: HeaderChange): Uint8Array {
  const out = copyOf(frame);
  const { suite, opcode, direction, reserved, clientId, epoch, round } = change;
  const bytes = [suite?.id, opcode, direction, reserved];
  for (const [at, value] of bytes.entries()) if (value !== undefined) out[LENGTH_BYTES + at] = value;
  for (const [at, value] of [clientId, epoch, round].entries()) {
    if (value !== undefined) writeU32(out, value, LENGTH_BYTES + 4 + 4 * at);
  }
  return out;
}

/** A copy that claims another length. */
export function withLength(frame: Uint8Array, length: number): Uint8Array {
  const out = copyOf(frame);
  writeU32(out, length, 0);
  return out;
}
