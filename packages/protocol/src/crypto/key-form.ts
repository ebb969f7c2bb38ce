import { createSecretKey, type KeyObject } from "node:crypto";
// biome-ignore lint/style/noRestrictedImports: which Node.js this is, nothing of the world around it.
import { versions } from "node:process";

const FIRST_WITH_SLOW_BYTES = 24;
const bytesAreSlow = Number.parseInt(versions.node, 10) >= FIRST_WITH_SLOW_BYTES;

/**
 * A key in the form in which node:crypto takes it sooner. From Node.js 24 on `createCipheriv` and `createHmac` try first whether bytes
 * are a key object, by an error that is thrown and caught, at ten times the cost of making one of them. Before, making one costs as
 * much again as the cipher. Either way OpenSSL holds a copy, and overwrites it when the object is collected.
 */
export function keyFor(bytes: Uint8Array): Uint8Array | KeyObject {
  return bytesAreSlow ? createSecretKey(bytes) : bytes;
}
