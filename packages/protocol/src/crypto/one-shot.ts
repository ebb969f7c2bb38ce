import { createHash, createHmac, hash } from "node:crypto";
import { keyFor } from "./key-form.ts";

/**
 * SHA-256, and HMAC-SHA-256 over it (RFC 2104), by the one-shot `hash` of node:crypto. An object of `createHash` or
 * `createHmac` costs several times what hashing a small packet does, on Node.js 24 ten times and more; so parts are
 * gathered in a buffer of this file and hashed in one call. The file is synchronous and each thread has its own, so
 * nobody else sees the buffer, and what was in it is overwritten before a call returns.
 */

const HASH_BYTES = 32;
/** RFC 2104: B, ipad and opad. */
const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** The longest input that is gathered: a packet with a message of 16 KiB fits. */
export const GATHERED_BYTES = 17 * 1_024;

/** `key ⊕ ipad ‖ parts`. Between calls nothing but ipad, so that what is behind the key need not be written again. */
const inner = new Uint8Array(BLOCK_BYTES + GATHERED_BYTES).fill(INNER_PAD);
/** `key ⊕ opad ‖ inner hash`, likewise. */
const outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES).fill(OUTER_PAD);
/** The key's place in both, four bytes at a time. */
const innerKey = new Uint32Array(inner.buffer, 0, HASH_BYTES / 4);
const outerKey = new Uint32Array(outer.buffer, 0, HASH_BYTES / 4);

/** For the test that looks for keys in it. */
export const SCRATCH: { readonly inner: Uint8Array; readonly outer: Uint8Array } = { inner, outer };

export function sha256(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return plain(hash("sha256", only, "buffer"));
  const end = BLOCK_BYTES + lengthOf(parts);
  if (end > inner.length) {
    const streamed = createHash("sha256");
    for (const part of parts) streamed.update(part);
    return plain(streamed.digest());
  }
  try {
    gather(parts);
    return plain(hash("sha256", inner.subarray(BLOCK_BYTES, end), "buffer"));
  } finally {
    inner.fill(INNER_PAD, BLOCK_BYTES, end);
  }
}

/**
 * The short way is for keys of 32 bytes, which chains, epoch secrets and MAC keys are: secret and random. Under such a key
 * the inner hash tells nothing to who has not the key, so it may pass through a string, which cannot be overwritten
 * but costs a third of what a Buffer does. The key of HKDF-Extract is a public salt, and its inner hash as good as the
 * result: a key of any other length takes the long way. Results are keys, and never a string.
 */
export function hmacSha256(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const end = BLOCK_BYTES + lengthOf(parts);
  if (key.length !== HASH_BYTES || end > inner.length) return streamedHmac(key, parts);
  try {
    hashInner(key, parts, end);
    return plain(hash("sha256", outer, "buffer"));
  } finally {
    forget(end);
  }
}

/** The same where the result is a tag, which is for everybody to see: it passes through a string too. */
export function hmacTag(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const end = BLOCK_BYTES + sealed.length;
  if (key.length !== HASH_BYTES || end > inner.length) return streamedHmac(key, [sealed]);
  try {
    hashInner(key, [sealed], end);
    const tag = new Uint8Array(HASH_BYTES);
    write(hash("sha256", outer, "binary"), tag, 0);
    return tag;
  } finally {
    forget(end);
  }
}

function streamedHmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const streamed = createHmac("sha256", keyFor(key));
  for (const part of parts) streamed.update(part);
  return plain(streamed.digest());
}

/** Leaves in `outer` what the outer hash is of. */
function hashInner(key: Uint8Array, parts: readonly Uint8Array[], end: number): void {
  inner.set(key);
  outer.set(key);
  for (let i = 0; i < innerKey.length; i++) {
    innerKey[i] = (innerKey[i] ?? 0) ^ (INNER_PAD * 0x01010101);
    outerKey[i] = (outerKey[i] ?? 0) ^ (OUTER_PAD * 0x01010101);
  }
  gather(parts);
  write(hash("sha256", inner.subarray(0, end), "binary"), outer, BLOCK_BYTES);
}

/** A digest in one character a byte: the other name of this encoding is latin1. */
function write(digest: string, into: Uint8Array, at: number): void {
  for (let i = 0; i < HASH_BYTES; i++) into[at + i] = digest.charCodeAt(i);
}

function forget(end: number): void {
  inner.fill(INNER_PAD, 0, end);
  outer.fill(OUTER_PAD);
}

function lengthOf(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

function gather(parts: readonly Uint8Array[]): void {
  let at = BLOCK_BYTES;
  for (const part of parts) {
    inner.set(part, at);
    at += part.length;
  }
}

/** The same memory without Buffer's methods, whose `slice` would be a view where everybody expects a copy. */
export function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
