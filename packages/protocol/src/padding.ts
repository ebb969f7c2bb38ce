import { FormatError } from "./errors.ts";

/** How a sender hides the length of DATA and AGGREGATE (section 4.3). Receivers need no knowledge of it. */
export type PaddingPolicy =
  | { readonly kind: "none" }
  /** Plaintext up to a multiple of `size` bytes. */
  | { readonly kind: "block"; readonly size: number }
  /** Plaintext up to a power of two. */
  | { readonly kind: "pow2" };

export const NO_PADDING: PaddingPolicy = { kind: "none" };

/** Section 4.3: what the byte before the zeros says. */
export const KIND_MESSAGE = 1;
export const KIND_COVER = 2;
export type Kind = "message" | "cover";

/** What is inside a packet. */
export interface Content {
  readonly message: Uint8Array;
  readonly kind: Kind;
}

/** Reads `none`, `block:N` (N in 1 … 65,536) and `pow2`. @throws RangeError with what was expected. */
export function parsePadding(text: string): PaddingPolicy {
  if (text === "none" || text === "pow2") return { kind: text };
  const size = /^block:(\d{1,5})$/.exec(text)?.[1];
  if (size !== undefined && Number(size) >= 1 && Number(size) <= 65_536)
    return { kind: "block", size: Number(size) };
  throw new RangeError(
    `padding is none, pow2 or block:N with N from 1 to 65536, not ${JSON.stringify(text)}`,
  );
}

export function formatPadding(policy: PaddingPolicy): string {
  return policy.kind === "block" ? `block:${policy.size}` : policy.kind;
}

/**
 * Bytes of plaintext (message, kind, zeros) for a message of `messageLength` bytes where at most `limit` bytes of
 * message are allowed: never more than `limit + 1`, so that padding cannot push a packet over its limit (section 6).
 */
export function paddedLength(policy: PaddingPolicy, messageLength: number, limit: number): number {
  const least = messageLength + 1;
  switch (policy.kind) {
    case "none":
      return least;
    case "block":
      return Math.min(Math.ceil(least / policy.size) * policy.size, limit + 1);
    case "pow2": {
      let length = 1;
      while (length < least) length *= 2;
      return Math.min(length, limit + 1);
    }
    default:
      return policy satisfies never;
  }
}

/** `message ‖ kind ‖ zeros`, of `length` bytes. */
export function wrap(message: Uint8Array, kind: Kind, length: number): Uint8Array {
  const plaintext = new Uint8Array(length);
  plaintext.set(message);
  plaintext[message.length] = kind === "message" ? KIND_MESSAGE : KIND_COVER;
  return plaintext;
}

/**
 * The message, as a view of `plaintext`, and its kind.
 * @throws FormatError where there is no kind byte before the zeros, or an unknown one.
 */
export function unwrap(plaintext: Uint8Array): Content {
  let end = plaintext.length - 1;
  while (end >= 0 && plaintext[end] === 0) end--;
  const kind = plaintext[end];
  if (kind !== KIND_MESSAGE && kind !== KIND_COVER)
    throw new FormatError("the plaintext has no known kind byte");
  return { message: plaintext.subarray(0, end), kind: kind === KIND_MESSAGE ? "message" : "cover" };
}
