import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  clientId,
  concat,
  copyOf,
  epoch,
  fromHex,
  MAX_U32,
  readU8,
  readU32,
  round,
  samePublicBytes,
  toHex,
  u32,
  wipe,
  writeU32,
} from "./bytes.ts";

describe("integers", () => {
  it("round-trips every u32, big-endian", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_U32 }), fc.nat(5), (value, offset) => {
        const bytes = new Uint8Array(offset + 4);
        writeU32(bytes, value, offset);
        expect(readU32(bytes, offset)).toBe(value);
        expect(readU32(u32(value), 0)).toBe(value);
      }),
    );
    expect(toHex(u32(0x01020304))).toBe("01020304");
  });

  it("throws beyond the end", () => {
    expect(() => readU8(new Uint8Array(2), 2)).toThrow(RangeError);
    expect(() => readU32(new Uint8Array(3), 0)).toThrow(RangeError);
  });

  it("brands what is in range and refuses the rest", () => {
    expect([clientId(1), clientId(MAX_U32), epoch(0), round(MAX_U32)]).toEqual([1, MAX_U32, 0, MAX_U32]);
    for (const bad of [-1, 1.5, MAX_U32 + 1, Number.NaN]) {
      expect(() => clientId(bad)).toThrow(RangeError);
      expect(() => epoch(bad)).toThrow(RangeError);
      expect(() => round(bad)).toThrow(RangeError);
    }
    expect(() => clientId(0)).toThrow("from 1 to 4294967295");
  });
});

describe("byte strings", () => {
  it("round-trips hex and refuses what is none", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
      }),
    );
    for (const bad of ["0", "0g", "00 "]) expect(() => fromHex(bad)).toThrow(RangeError);
  });

  it("joins, copies, compares, wipes", () => {
    const joined = concat(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3));
    expect(joined).toEqual(Uint8Array.of(1, 2, 3));
    const buffer = Buffer.from([1, 2, 3]);
    const copy = copyOf(buffer, 1);
    buffer.fill(9);
    expect(copy).toEqual(Uint8Array.of(2, 3));
    expect(Buffer.isBuffer(copy)).toBe(false);
    expect(samePublicBytes(joined, Uint8Array.of(1, 2, 3))).toBe(true);
    expect(samePublicBytes(joined, Uint8Array.of(1, 2))).toBe(false);
    expect(samePublicBytes(joined, Uint8Array.of(1, 2, 4))).toBe(false);
    wipe(joined, null, undefined);
    expect(joined).toEqual(new Uint8Array(3));
  });
});
