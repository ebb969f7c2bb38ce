import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { concat, fromHex, toHex, utf8 } from "../bytes.ts";
import { GATHERED_BYTES, hmacSha256, hmacTag, SCRATCH, sha256 } from "./one-shot.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
/** The length that takes the short way. */
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 });
const parts = fc.array(bytes(200), { maxLength: 6 });
/** Parts whose total is about what is gathered, on both sides of it. */
const longParts = fc
  .tuple(bytes(3), fc.integer({ min: -3, max: 1 }), bytes(3))
  .map(([head, more, tail]) => [head, new Uint8Array(GATHERED_BYTES + more).fill(0x5a), tail]);

afterEach(() => {
  const { inner, outer } = SCRATCH;
  expect(inner).toEqual(new Uint8Array(inner.length).fill(0x36));
  expect(outer).toEqual(new Uint8Array(outer.length).fill(0x5c));
});

describe("HMAC-SHA-256", () => {
  // RFC 4231, section 4. Case 5 is truncated to 128 bits there.
  const CASES: readonly [name: string, key: string, data: Uint8Array, tag: string][] = [
    [
      "4.2",
      "0b".repeat(20),
      utf8("Hi There"),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ],
    [
      "4.3, a key shorter than the hash",
      toHex(utf8("Jefe")),
      utf8("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    [
      "4.4, key and data longer than a block together",
      "aa".repeat(20),
      fromHex("dd".repeat(50)),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ],
    [
      "4.5",
      "0102030405060708090a0b0c0d0e0f10111213141516171819",
      fromHex("cd".repeat(50)),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ],
    ["4.6", "0c".repeat(20), utf8("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"],
    [
      "4.7, a key longer than a block",
      "aa".repeat(131),
      utf8("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
    [
      "4.8, key and data longer than a block",
      "aa".repeat(131),
      utf8(
        "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
      ),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ],
  ];

  it.each(CASES)("RFC 4231, %s", (_name, key, data, tag) => {
    const whole = hmacSha256(fromHex(key), [data]);
    expect(whole).toHaveLength(32);
    expect(toHex(whole).slice(0, tag.length)).toBe(tag);
    const middle = data.length >> 1;
    expect(hmacSha256(fromHex(key), [data.subarray(0, middle), data.subarray(middle)])).toEqual(whole);
  });

  const expected = (key: Uint8Array, data: readonly Uint8Array[]) =>
    createHmac("sha256", key)
      .update(concat(...data))
      .digest("hex");

  it("is node's, for keys of no byte to three blocks and parts of any number", () => {
    fc.assert(
      fc.property(fc.oneof(secret, bytes(200)), parts, (key, data) => {
        expect(toHex(hmacSha256(key, data))).toBe(expected(key, data));
      }),
      { numRuns: 500 },
    );
  });

  it.each([0, 1, 31, 32, 33, 63, 64, 65, 128])("is node's for a key of %i bytes and no data", (length) => {
    const key = new Uint8Array(length).fill(0xc3);
    expect(toHex(hmacSha256(key, []))).toBe(expected(key, []));
    expect(toHex(hmacSha256(key, [new Uint8Array()]))).toBe(expected(key, []));
  });

  it("is node's for data as long as is gathered, and longer", () => {
    fc.assert(
      fc.property(fc.oneof(secret, bytes(100)), longParts, (key, data) => {
        expect(toHex(hmacSha256(key, data))).toBe(expected(key, data));
      }),
    );
  });

  it("is the same as a tag, for keys and data of any length", () => {
    const data = fc.oneof(
      bytes(200),
      longParts.map((list) => concat(...list)),
    );
    fc.assert(
      fc.property(fc.oneof(secret, bytes(100)), data, (key, sealed) => {
        expect(toHex(hmacTag(key, sealed))).toBe(expected(key, [sealed]));
      }),
      { numRuns: 300 },
    );
  });

  it("leaves key and data as they are, and gives out memory of its own", () => {
    const key = new Uint8Array(32).fill(1);
    const data = new Uint8Array(48).fill(2);
    const first = hmacSha256(key, [data]);
    expect(key).toEqual(new Uint8Array(32).fill(1));
    expect(data).toEqual(new Uint8Array(48).fill(2));
    const copy = first.slice();
    const second = hmacSha256(key, [data]);
    second.fill(0);
    expect(first).toEqual(copy);
    const tag = hmacTag(key, data);
    hmacTag(key, data).fill(0);
    expect(tag).toEqual(copy);
  });
});

describe("SHA-256", () => {
  it("is node's, for parts of any number and length", () => {
    fc.assert(
      fc.property(fc.oneof(parts, longParts), (data) => {
        const expected = createHash("sha256")
          .update(concat(...data))
          .digest("hex");
        expect(toHex(sha256(data))).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });
});
