/** Bytes, integers and the numbers that carry a meaning. All integers on the wire are big-endian (section 1). */

declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** 1 … 2³²−1, the number under which a client is enrolled. */
export type ClientId = Branded<"ClientId">;
/** 0 … 2³²−1, how often the epoch secret of a client has moved. 0 in classic. */
export type Epoch = Branded<"Epoch">;
/** 0 … 2³²−1, the count of a direction's packets: 0 for HELLO and CHALLENGE, then 1, 2, … */
export type Round = Branded<"Round">;

export const MAX_U32 = 0xffff_ffff;

function isU32(n: number): boolean {
  return Number.isInteger(n) && n >= 0 && n <= MAX_U32;
}

/** @throws RangeError unless `n` is an integer in 1 … 2³²−1. */
export function clientId(n: number): ClientId {
  if (!isU32(n) || n === 0) throw new RangeError(`a client id is an integer from 1 to ${MAX_U32}, not ${n}`);
  return n as ClientId;
}

/** @throws RangeError unless `n` is an integer in 0 … 2³²−1. */
export function epoch(n: number): Epoch {
  if (!isU32(n)) throw new RangeError(`an epoch is an integer from 0 to ${MAX_U32}, not ${n}`);
  return n as Epoch;
}

/** @throws RangeError unless `n` is an integer in 0 … 2³²−1. */
export function round(n: number): Round {
  if (!isU32(n)) throw new RangeError(`a round is an integer from 0 to ${MAX_U32}, not ${n}`);
  return n as Round;
}

/** The byte at `offset`. @throws RangeError beyond the end. */
export function readU8(bytes: Uint8Array, offset: number): number {
  const b = bytes[offset];
  if (b === undefined) throw new RangeError(`no byte at ${offset} of ${bytes.length}`);
  return b;
}

/** The 32-bit big-endian integer at `offset`. @throws RangeError beyond the end. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return (
    ((readU8(bytes, offset) << 24) |
      (readU8(bytes, offset + 1) << 16) |
      (readU8(bytes, offset + 2) << 8) |
      readU8(bytes, offset + 3)) >>>
    0
  );
}

export function writeU32(bytes: Uint8Array, value: number, offset: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

export function u32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  writeU32(out, value, 0);
  return out;
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A copy, of a Buffer too (whose own `slice` is a view). */
export function copyOf(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

export function toHex(bytes: Uint8Array): string {
  let out = "";
  for (const b of bytes) out += b.toString(16).padStart(2, "0");
  return out;
}

/** @throws RangeError unless `hex` is an even number of hexadecimal digits. */
export function fromHex(hex: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) throw new RangeError("not an even number of hexadecimal digits");
  const out = new Uint8Array(hex.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** Overwrites buffers that held keys. Best effort: JavaScript cannot promise that no copy was made. */
export function wipe(...secrets: readonly (Uint8Array | null | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** For what is public (hashes of packets, ids). Tags and keys are compared by the provider, in constant time. */
export function samePublicBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
