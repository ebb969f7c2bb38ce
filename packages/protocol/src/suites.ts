import { HEADER_BYTES, MAX_FIRST_MESSAGE, MAX_HANDSHAKE_PACKET } from "./limits.ts";

/** What differs between suites, as data. A new suite is a row here, its schedule, its vectors. */
export interface Suite {
  readonly id: SuiteId;
  readonly name: SuiteName;
  /** `cbc-hmac`: AES-128-CBC, PKCS#7, then HMAC-SHA-256. `gcm`: AES-256-GCM, header as associated data. */
  readonly cipher: "cbc-hmac" | "gcm";
  /** Bytes of IV or nonce behind the header. */
  readonly ivBytes: number;
  /** Bytes of tag at the end. */
  readonly tagBytes: number;
  /** Bytes of `enc`. */
  readonly encKeyBytes: number;
  /** Sections 4: epochs, ratchet on iv ‖ tag, kind byte, TERMINATE. Classic (section 3) has none of these. */
  readonly strict: boolean;
}

export type SuiteId = 1 | 2 | 3;
export type SuiteName = "classic" | "strict" | "strict-gcm";

export const CLASSIC: Suite = {
  id: 1,
  name: "classic",
  cipher: "cbc-hmac",
  ivBytes: 16,
  tagBytes: 32,
  encKeyBytes: 16,
  strict: false,
};
export const STRICT: Suite = { ...CLASSIC, id: 2, name: "strict", strict: true };
export const STRICT_GCM: Suite = {
  id: 3,
  name: "strict-gcm",
  cipher: "gcm",
  ivBytes: 12,
  tagBytes: 16,
  encKeyBytes: 32,
  strict: true,
};

export const SUITES: readonly Suite[] = [CLASSIC, STRICT, STRICT_GCM];
/** What a server runs unless it is told to run classic in so many words. */
export const STRICT_SUITES: readonly Suite[] = [STRICT, STRICT_GCM];

export function suiteById(id: number): Suite | undefined {
  return SUITES[id - 1];
}

export function suiteByName(name: string): Suite | undefined {
  return SUITES.find((suite) => suite.name === name);
}

const BLOCK = 16;

/** Bytes of packet for a plaintext of `length` bytes (message, and in the strict suites kind and zeros). */
export function packetBytes(suite: Suite, length: number): number {
  const ciphertext = suite.cipher === "gcm" ? length : (Math.floor(length / BLOCK) + 1) * BLOCK;
  return HEADER_BYTES + suite.ivBytes + ciphertext + suite.tagBytes;
}

/** Whether a packet of `length` bytes can be one of this suite (section 1, check 2). */
export function isPossibleLength(suite: Suite, length: number): boolean {
  const ciphertext = length - HEADER_BYTES - suite.ivBytes - suite.tagBytes;
  return ciphertext >= 1 && (suite.cipher === "gcm" || ciphertext % BLOCK === 0);
}

/** Bytes of plaintext that carry a message of `length` bytes without padding. */
export function plaintextBytes(suite: Suite, length: number): number {
  return suite.strict ? length + 1 : length;
}

/** The longest packet with a message of `maxMessage` bytes (section 1: the limit is one of frames). */
export function packetLimit(suite: Suite, maxMessage: number): number {
  return packetBytes(suite, plaintextBytes(suite, maxMessage));
}

/** The longest message of a session's first DATA. */
export function firstMessageLimit(maxMessage: number): number {
  return Math.min(MAX_FIRST_MESSAGE, maxMessage);
}

export { MAX_HANDSHAKE_PACKET };
