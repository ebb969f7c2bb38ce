import { createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";
import { cbcDecrypt, cbcEncrypt } from "./cbc.ts";
import { keyFor } from "./key-form.ts";
import { hmacSha256, hmacTag, plain, sha256 } from "./one-shot.ts";
import type { CryptoProvider } from "./provider.ts";

function joined(head: Buffer, tail: Buffer): Uint8Array {
  return plain(tail.length === 0 ? head : head.length === 0 ? tail : Buffer.concat([head, tail]));
}

/** The primitives of the OpenSSL inside Node. */
export const nodeCrypto: CryptoProvider = {
  name: "node",

  sha256(...parts) {
    return sha256(parts);
  },

  hmacSha256(key, ...parts) {
    return hmacSha256(key, parts);
  },

  hmacTag(key, sealed) {
    return hmacTag(key, sealed);
  },

  cbcEncrypt(key, iv, plaintext) {
    return cbcEncrypt(key, iv, plaintext);
  },

  cbcDecrypt(key, iv, ciphertext) {
    return cbcDecrypt(key, iv, ciphertext);
  },

  gcmSeal(key, nonce, associated, plaintext) {
    const cipher = createCipheriv("aes-256-gcm", keyFor(key), nonce);
    cipher.setAAD(associated);
    const ciphertext = joined(cipher.update(plaintext), cipher.final());
    return { ciphertext, tag: plain(cipher.getAuthTag()) };
  },

  gcmOpen(key, nonce, associated, ciphertext, tag) {
    const decipher = createDecipheriv("aes-256-gcm", keyFor(key), nonce, { authTagLength: 16 });
    decipher.setAAD(associated);
    decipher.setAuthTag(tag);
    const head = decipher.update(ciphertext);
    try {
      return joined(head, decipher.final());
    } catch {
      head.fill(0);
      return null;
    }
  },

  equal(a, b) {
    return a.length === b.length && timingSafeEqual(a, b);
  },
};
