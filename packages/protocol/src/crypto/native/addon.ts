import { createRequire } from "node:module";
import { arch, platform } from "node:process";

/** What `native/addon.c` exports. It checks types and lengths; a TypeError is a mistake of its caller. */
export interface Addon {
  readonly RecordChain: new (suite: number, chain: Uint8Array) => NativeChain;
  /** `out`: 32 bytes. At most 8 parts. */
  sha256(out: Uint8Array, ...parts: readonly Uint8Array[]): void;
  /** `out`: 32 bytes. At most 7 parts. */
  hmacSha256(out: Uint8Array, key: Uint8Array, ...parts: readonly Uint8Array[]): void;
  /** `out` is as long as the padded plaintext. @returns a `STATUS` */
  cbcEncrypt(out: Uint8Array, key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): number;
  /** `out` is as long as `ciphertext`. @returns bytes of plaintext at its beginning, or a `STATUS` below 0 */
  cbcDecrypt(out: Uint8Array, key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): number;
  /** `out` has room for the ciphertext, and the tag behind it. @returns a `STATUS` */
  gcmSeal(
    out: Uint8Array,
    key: Uint8Array,
    iv: Uint8Array,
    associated: Uint8Array,
    plaintext: Uint8Array,
  ): number;
  /** `out` is as long as `ciphertext`. @returns a `STATUS` */
  gcmOpen(
    out: Uint8Array,
    key: Uint8Array,
    iv: Uint8Array,
    associated: Uint8Array,
    ciphertext: Uint8Array,
    tag: Uint8Array,
  ): number;
}

export interface NativeChain {
  /**
   * The frame is the `length` bytes of `room` from `at` on; its length, header and IV stand there already.
   * @returns a `STATUS`
   */
  seal(
    room: Uint8Array,
    at: number,
    length: number,
    message: Uint8Array,
    plaintextLength: number,
    kind: number,
  ): number;
  /** @returns twice the length of the message, which stands in `room` from `at` on, and 1 more for a cover; or a `STATUS` below 0 */
  open(packet: Uint8Array, room: Uint8Array, at: number): number;
  wipe(): void;
}

/** `Status` of `native/record.h`. */
export const STATUS = {
  done: 0,
  wrongTag: -1,
  wrongPadding: -2,
  noKind: -3,
  coverNotAllowed: -4,
  wrongLength: -5,
  wiped: -6,
} as const;

/** From this file, in `src` and in `dist` alike: what was built in this checkout, then what the package carries. */
const PLACES = [
  "../../../native/build/Release/pawl.node",
  `../../../prebuilds/${platform}-${arch}/pawl.node`,
] as const;

/** The addon, or why each place has none that loads. */
export function loadAddon(): Addon | readonly string[] {
  const require = createRequire(import.meta.url);
  const reasons: string[] = [];
  for (const place of PLACES) {
    try {
      return require(place) as Addon;
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  return reasons;
}

/** The first line: Node.js adds the stack of who required it. */
function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
