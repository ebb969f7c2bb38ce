import { createCipheriv, createDecipheriv } from "node:crypto";
import { wipe } from "../bytes.ts";
import { keyFor } from "./key-form.ts";
import { plain } from "./one-shot.ts";

/**
 * AES-128-CBC with PKCS#7 (RFC 5652, 6.3), padded and unpadded here: what OpenSSL does not pad comes whole out of one
 * `update`, without the Buffer of a `final` and the copy that joins them.
 */

const ALGORITHM = "aes-128-cbc";
const BLOCK_BYTES = 16;

/** The longest plaintext that is padded here: a message of 16 KiB and its kind fit. */
export const PADDED_BYTES = 17 * 1_024;
/** Zeros between calls. Exported for the test that looks for plaintext in it. */
export const SCRATCH: Uint8Array = new Uint8Array(PADDED_BYTES);

export function cbcEncrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(ALGORITHM, keyFor(key), iv);
  const padding = BLOCK_BYTES - (plaintext.length % BLOCK_BYTES);
  const length = plaintext.length + padding;
  if (length > PADDED_BYTES) return plain(Buffer.concat([cipher.update(plaintext), cipher.final()]));
  // Whole blocks come out at once; the padding of OpenSSL would be in a `final`, which is never called.
  try {
    SCRATCH.set(plaintext);
    SCRATCH.fill(padding, plaintext.length, length);
    return plain(cipher.update(SCRATCH.subarray(0, length)));
  } finally {
    SCRATCH.fill(0, 0, length);
  }
}

/**
 * Null where the length or the padding is wrong. Not in constant time: called only on what has been authenticated, so
 * that nobody but the holder of the keys chooses what is looked at here.
 */
export function cbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | null {
  if (ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0) return null;
  const decipher = createDecipheriv(ALGORITHM, keyFor(key), iv);
  decipher.setAutoPadding(false);
  const padded = plain(decipher.update(ciphertext));
  const padding = padded[padded.length - 1] ?? 0;
  const end = padded.length - padding;
  let right = padding >= 1 && padding <= BLOCK_BYTES;
  for (let i = end; right && i < padded.length; i++) right = padded[i] === padding;
  if (right) return padded.subarray(0, end);
  wipe(padded);
  return null;
}
