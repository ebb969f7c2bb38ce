import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expand } from "../../key-schedule.ts";
import { nodeCrypto } from "../node.ts";
import { addon, KEY, native } from "./testing/addon.ts";

/** The primitives of the addon against those of node:crypto. */

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });
const numbers = fc.integer({ min: 0, max: 0xffff_ffff });

describe("the native hashes", () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 7 });

  it("are those of node:crypto, for keys of any length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), parts, (key, list) => {
        expect(native.sha256(...list)).toEqual(nodeCrypto.sha256(...list));
        expect(native.hmacSha256(key, ...list)).toEqual(nodeCrypto.hmacSha256(key, ...list));
        expect(expand(native, key, "enc", KEY, 100)).toEqual(expand(nodeCrypto, key, "enc", KEY, 100));
      }),
    );
  });

  it("are the caller's to overwrite", () => {
    const one = native.sha256(KEY);
    const two = native.sha256(KEY);
    one.fill(0);
    expect(two).toEqual(nodeCrypto.sha256(KEY));
  });
});

describe("the native AES-128-CBC", () => {
  const key = KEY.subarray(0, 16);
  const block = fc.uint8Array({ minLength: 16, maxLength: 16 });

  it("is that of node:crypto, both ways", () => {
    fc.assert(
      fc.property(block, block, fc.uint8Array({ maxLength: 200 }), (secret, iv, plaintext) => {
        const sealed = native.cbcEncrypt(secret, iv, plaintext);
        expect(sealed).toEqual(nodeCrypto.cbcEncrypt(secret, iv, plaintext));
        expect(native.cbcDecrypt(secret, iv, sealed)).toEqual(plaintext);
      }),
    );
  });

  it("refuses what node:crypto refuses, and leaves nothing of it", () => {
    let refused = 0;
    fc.assert(
      fc.property(block, fc.uint8Array({ maxLength: 100 }), (iv, ciphertext) => {
        const opened = native.cbcDecrypt(key, iv, ciphertext);
        expect(opened).toEqual(nodeCrypto.cbcDecrypt(key, iv, ciphertext));
        if (opened !== null) return;
        refused++;
        const room = new Uint8Array(ciphertext.length).fill(0xaa);
        expect(addon.cbcDecrypt(room, key, iv, ciphertext)).toBeLessThan(0);
        expect([...room].every((byte) => byte === 0 || byte === 0xaa)).toBe(true);
      }),
    );
    expect(refused).toBeGreaterThan(50);
  });

  it("is under the key of this call alone, also after one that failed", () => {
    const [one, other] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
    const sealed = native.cbcEncrypt(one, one, KEY);
    expect(native.cbcDecrypt(other, one, sealed)).toBeNull();
    expect(native.cbcDecrypt(one, one, sealed)).toEqual(KEY);
    expect(native.cbcEncrypt(one, one, KEY)).toEqual(sealed);
  });
});

describe("the native AES-256-GCM", () => {
  const nonces = fc.uint8Array({ minLength: 12, maxLength: 12 });
  const bytes = fc.uint8Array({ maxLength: 200 });

  it("is that of node:crypto, both ways, with nothing to seal or to bind too", () => {
    fc.assert(
      fc.property(keys, nonces, bytes, bytes, (key, nonce, associated, plaintext) => {
        const { ciphertext, tag } = native.gcmSeal(key, nonce, associated, plaintext);
        expect({ ciphertext, tag }).toEqual(nodeCrypto.gcmSeal(key, nonce, associated, plaintext));
        expect(native.gcmOpen(key, nonce, associated, ciphertext, tag)).toEqual(plaintext);
      }),
      { examples: [[KEY, new Uint8Array(12), new Uint8Array(), new Uint8Array()]] },
    );
  });

  it("refuses whatever was changed, and leaves nothing of it", () => {
    fc.assert(
      fc.property(keys, nonces, bytes, bytes, numbers, (key, nonce, associated, plaintext, where) => {
        const { ciphertext, tag } = native.gcmSeal(key, nonce, associated, plaintext);
        const parts = [nonce, associated, ciphertext, tag] as const;
        let at = where % parts.reduce((length, part) => length + part.length, 0);
        for (const part of parts) {
          if (at >= 0 && at < part.length) part[at] = (part[at] ?? 0) ^ (1 << (where % 8));
          at -= part.length;
        }
        expect(native.gcmOpen(key, nonce, associated, ciphertext, tag)).toBeNull();
        const room = new Uint8Array(ciphertext.length).fill(0xaa);
        expect(addon.gcmOpen(room, key, nonce, associated, ciphertext, tag)).toBe(-1);
        expect(room).toEqual(new Uint8Array(ciphertext.length));
      }),
    );
  });

  it("refuses a tag that is shorter than a whole one", () => {
    const nonce = KEY.subarray(0, 12);
    const { ciphertext, tag } = native.gcmSeal(KEY, nonce, KEY, KEY);
    expect(native.gcmOpen(KEY, nonce, KEY, ciphertext, tag.subarray(0, 15))).toBeNull();
  });

  it("is under the key of this call alone, also after one that failed", () => {
    const [other, nonce] = [new Uint8Array(32).fill(2), KEY.subarray(0, 12)];
    const { ciphertext, tag } = native.gcmSeal(KEY, nonce, KEY, KEY);
    expect(native.gcmOpen(other, nonce, KEY, ciphertext, tag)).toBeNull();
    expect(native.gcmOpen(KEY, nonce, KEY, ciphertext, tag)).toEqual(KEY);
    expect(native.gcmSeal(KEY, nonce, KEY, KEY)).toEqual({ ciphertext, tag });
  });
});
