import { createCipheriv, createDecipheriv } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { toHex } from "../bytes.ts";
import { cbcDecrypt, cbcEncrypt, PADDED_BYTES, SCRATCH } from "./cbc.ts";

const ofLength = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

function nodesCiphertext(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): string {
  const cipher = createCipheriv("aes-128-cbc", key, iv);
  return cipher.update(plaintext, undefined, "hex") + cipher.final("hex");
}

function nodesPlaintext(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): string | null {
  const decipher = createDecipheriv("aes-128-cbc", key, iv);
  try {
    return decipher.update(ciphertext, undefined, "hex") + decipher.final("hex");
  } catch {
    return null;
  }
}

afterEach(() => {
  expect(SCRATCH).toEqual(new Uint8Array(PADDED_BYTES));
});

describe("AES-128-CBC with PKCS#7", () => {
  it("is node's, and back, for any plaintext", () => {
    fc.assert(
      fc.property(ofLength(16), ofLength(16), fc.uint8Array({ maxLength: 200 }), (key, iv, plaintext) => {
        const sealed = cbcEncrypt(key, iv, plaintext);
        expect(toHex(sealed)).toBe(nodesCiphertext(key, iv, plaintext));
        expect(cbcDecrypt(key, iv, sealed)).toEqual(plaintext);
      }),
      { numRuns: 300 },
    );
  });

  it.each([-17, -16, -1, 0, 1, 1_000])("is node's for %i bytes more than are padded here", (more) => {
    const key = new Uint8Array(16).fill(1);
    const iv = new Uint8Array(16).fill(2);
    const plaintext = new Uint8Array(PADDED_BYTES + more).fill(3);
    const sealed = cbcEncrypt(key, iv, plaintext);
    expect(toHex(sealed)).toBe(nodesCiphertext(key, iv, plaintext));
    expect(cbcDecrypt(key, iv, sealed)).toEqual(plaintext);
  });

  it("refuses just the paddings that node refuses", () => {
    const key = new Uint8Array(16).fill(1);
    const iv = new Uint8Array(16).fill(2);
    const tail = fc.array(fc.integer({ min: 0, max: 18 }), { maxLength: 16 });
    const repeated = fc.integer({ min: 0, max: 18 }).map((n) => new Array<number>(Math.min(n, 16)).fill(n));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.oneof(tail, repeated), (blocks, end) => {
        const padded = new Uint8Array(blocks * 16);
        padded.set(end, padded.length - end.length);
        const cipher = createCipheriv("aes-128-cbc", key, iv).setAutoPadding(false);
        const ciphertext = new Uint8Array(cipher.update(padded));
        const opened = cbcDecrypt(key, iv, ciphertext);
        expect(opened === null ? null : toHex(opened)).toBe(nodesPlaintext(key, iv, ciphertext));
      }),
      { numRuns: 500 },
    );
  });

  it.each([0, 1, 15, 17, 33])("refuses a ciphertext of %i bytes", (length) => {
    expect(cbcDecrypt(new Uint8Array(16), new Uint8Array(16), new Uint8Array(length))).toBeNull();
  });

  it("gives out memory of its own", () => {
    const first = cbcEncrypt(new Uint8Array(16), new Uint8Array(16), new Uint8Array(5));
    const copy = first.slice();
    cbcEncrypt(new Uint8Array(16), new Uint8Array(16), new Uint8Array(6)).fill(0);
    expect(first).toEqual(copy);
  });
});
