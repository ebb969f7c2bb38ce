import type { Content } from "../padding.ts";
import type { Suite } from "../suites.ts";
import type { Header } from "../wire.ts";

/**
 * The primitives that the core asks for. `node.ts` has them from node:crypto; a provider draws no randomness and keeps
 * no state but that of its record layers. Every output is the caller's to overwrite.
 */
export interface CryptoProvider {
  readonly name: string;
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC-SHA-256 as the tag of a packet: a result that is no secret. */
  hmacTag(key: Uint8Array, sealed: Uint8Array): Uint8Array;
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
  /**
   * The record layer of one direction of a strict suite, where the provider has one of its own; else `record.ts` makes it of
   * the primitives. Takes `chain`, 32 bytes, over.
   */
  recordChain?(suite: Suite, chain: Uint8Array): RecordChain;
  /** Nobody reads `frame`, which a record layer of this provider gave out, any more: its memory may be used again. */
  recycle?(frame: Uint8Array): void;
}

/** Section 4.3 along one chain. One object either seals or opens, since each direction has a chain of its own. */
export interface RecordChain {
  /**
   * @param plaintextLength bytes of message, kind and zeros
   * @param iv random bytes, at least as many as the suite takes
   * @returns the frame; the chain has moved on
   */
  seal(header: Header, content: Content, plaintextLength: number, iv: Uint8Array): Uint8Array;
  /**
   * The content of a packet whose header has been checked; then the chain moves on. On an error it has not moved.
   * Takes `packet` over: the message may lie in its memory.
   * @throws HmacError, FormatError
   */
  open(header: Header, packet: Uint8Array): Content;
  /** Overwrites the chain; what comes after throws IllegalTransitionError. */
  wipe(): void;
}
