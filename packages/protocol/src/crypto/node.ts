import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { CryptoProvider } from "./provider.ts";

/** The same memory without Buffer's methods, whose `slice` would be a view where everybody expects a copy. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function joined(head: Buffer, tail: Buffer): Uint8Array {
  return plain(tail.length === 0 ? head : head.length === 0 ? tail : Buffer.concat([head, tail]));
}

/** The primitives of the OpenSSL inside Node. */
export const nodeCrypto: CryptoProvider = {
  name: "node",

  sha256(...parts) {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return plain(hash.digest());
  },

  hmacSha256(key, ...parts) {
    const hmac = createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    return plain(hmac.digest());
  },

  cbcEncrypt(key, iv, plaintext) {
    const cipher = createCipheriv("aes-128-cbc", key, iv);
    return joined(cipher.update(plaintext), cipher.final());
  },

  cbcDecrypt(key, iv, ciphertext) {
    const decipher = createDecipheriv("aes-128-cbc", key, iv);
    const head = decipher.update(ciphertext);
    try {
      return joined(head, decipher.final());
    } catch {
      head.fill(0);
      return null;
    }
  },

  gcmSeal(key, nonce, associated, plaintext) {
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    cipher.setAAD(associated);
    const ciphertext = joined(cipher.update(plaintext), cipher.final());
    return { ciphertext, tag: plain(cipher.getAuthTag()) };
  },

  gcmOpen(key, nonce, associated, ciphertext, tag) {
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
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
