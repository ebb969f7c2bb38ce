/**
 * The primitives that the core asks for. `node.ts` has them from node:crypto; a provider draws no randomness and keeps
 * no state. Every output is freshly allocated and the caller's to overwrite.
 */
export interface CryptoProvider {
  readonly name: string;
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** AES-128-CBC with PKCS#7. `key` and `iv` are 16 bytes. */
  cbcEncrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Null where the padding is wrong. Called only on what has been authenticated. */
  cbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | null;
  /** AES-256-GCM. `key` 32 bytes, `nonce` 12, `tag` 16. */
  gcmSeal(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    plaintext: Uint8Array,
  ): { ciphertext: Uint8Array; tag: Uint8Array };
  /** Null where the tag is wrong. */
  gcmOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    ciphertext: Uint8Array,
    tag: Uint8Array,
  ): Uint8Array | null;
  /** In a time that depends on the lengths alone. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
}
