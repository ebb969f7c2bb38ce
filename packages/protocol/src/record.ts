import { type Epoch, wipe, writeU32 } from "./bytes.ts";
import type { CryptoProvider, RecordChain } from "./crypto/provider.ts";
import { FormatError, HmacError, IllegalTransitionError } from "./errors.ts";
import { Chain, EpochSecret, type PacketChain, type PacketKeys, wipeKeys } from "./key-schedule.ts";
import { HEADER_BYTES, LENGTH_BYTES, SECRET_BYTES } from "./limits.ts";
import { type Content, NO_PADDING, type PaddingPolicy, paddedLength, unwrap, wrap } from "./padding.ts";
import { packetBytes, STRICT, type Suite } from "./suites.ts";
import { encodeHeader, type Header, splitPacket } from "./wire.ts";

/**
 * Section 4.3 (and 3): one packet sealed and opened, and the two objects that do so along a chain, one direction each.
 * Verification comes before decryption, and a chain moves only after both, so what is rejected changes nothing.
 */

/**
 * A frame (length, header, IV, ciphertext, tag) in one buffer.
 * @param iv random bytes, at least as many as the suite takes
 */
export function sealFrame(
  crypto: CryptoProvider,
  keys: PacketKeys,
  header: Header,
  plaintext: Uint8Array,
  iv: Uint8Array,
): Uint8Array {
  const { suite } = header;
  const length = packetBytes(suite, plaintext.length);
  const frame = new Uint8Array(LENGTH_BYTES + length);
  writeU32(frame, length, 0);
  encodeHeader(header, frame, LENGTH_BYTES);
  const packet = frame.subarray(LENGTH_BYTES);
  const parts = splitPacket(suite, packet);
  for (let i = 0; i < suite.ivBytes; i++) parts.iv[i] = iv[i] ?? 0;
  if (keys.mac === null) {
    const sealed = crypto.gcmSeal(keys.enc, parts.iv, parts.header, plaintext);
    parts.ciphertext.set(sealed.ciphertext);
    parts.tag.set(sealed.tag);
  } else {
    parts.ciphertext.set(crypto.cbcEncrypt(keys.enc, parts.iv, plaintext));
    parts.tag.set(crypto.hmacTag(keys.mac, packet.subarray(0, length - suite.tagBytes)));
  }
  return frame;
}

/**
 * The plaintext of a packet.
 * @throws HmacError where the tag is wrong (check 8), before anything is decrypted; FormatError where the CBC padding is
 */
export function openPacket(
  crypto: CryptoProvider,
  keys: PacketKeys,
  suite: Suite,
  packet: Uint8Array,
): Uint8Array {
  const parts = splitPacket(suite, packet);
  if (keys.mac === null) {
    const plaintext = crypto.gcmOpen(keys.enc, parts.iv, parts.header, parts.ciphertext, parts.tag);
    if (plaintext === null) throw new HmacError("the tag is wrong");
    return plaintext;
  }
  const tag = crypto.hmacTag(keys.mac, packet.subarray(0, packet.length - suite.tagBytes));
  if (!crypto.equal(tag, parts.tag)) throw new HmacError("the tag is wrong");
  const plaintext = crypto.cbcDecrypt(keys.enc, parts.iv, parts.ciphertext);
  if (plaintext === null) throw new FormatError("the padding of the last block is wrong");
  return plaintext;
}

/** Check 9: message and kind. Only DATA may be a cover. In classic the plaintext is the message. @throws FormatError */
export function contentOf(header: Pick<Header, "suite" | "opcode">, plaintext: Uint8Array): Content {
  if (!header.suite.strict) return { message: plaintext, kind: "message" };
  const content = unwrap(plaintext);
  if (content.kind === "cover" && header.opcode !== "DATA") {
    throw new FormatError(`a cover, where ${header.opcode} carries a message`);
  }
  return content;
}

/** Bytes of plaintext for a message of `length` bytes: padded in DATA and AGGREGATE alone, and nothing added in classic. */
function plaintextLength(
  { suite, opcode }: Pick<Header, "suite" | "opcode">,
  length: number,
  padding: PaddingPolicy,
  limit: number,
): number {
  if (!suite.strict) return length;
  const padded = opcode === "DATA" || opcode === "AGGREGATE";
  return paddedLength(padded ? padding : NO_PADDING, length, limit);
}

/** The plaintext for a message: itself in classic; with its kind, and zeros up to `length` bytes, else. */
function plaintextOf({ suite }: Pick<Header, "suite">, content: Content, length: number): Uint8Array {
  return suite.strict ? wrap(content.message, content.kind, length) : content.message;
}

/** A HELLO or CHALLENGE of the strict suites, whose keys do not ratchet. Overwrites `keys`. */
export function sealHandshake(
  crypto: CryptoProvider,
  keys: PacketKeys,
  header: Header,
  message: Uint8Array,
  iv: Uint8Array,
): Uint8Array {
  const length = plaintextLength(header, message.length, NO_PADDING, message.length);
  const plaintext = plaintextOf(header, { message, kind: "message" }, length);
  const frame = sealFrame(crypto, keys, header, plaintext, iv);
  wipeKeys(keys);
  return frame;
}

/** The message of such a packet, of exactly `length` bytes. Overwrites `keys`. @throws HmacError, FormatError */
export function openHandshake(
  crypto: CryptoProvider,
  keys: PacketKeys,
  { header, packet }: { readonly header: Header; readonly packet: Uint8Array },
  length: number,
): Uint8Array {
  try {
    const { message } = contentOf(header, openPacket(crypto, keys, header.suite, packet));
    if (message.length !== length) throw new FormatError(`${header.opcode} carries ${length} bytes`);
    return message;
  } finally {
    wipeKeys(keys);
  }
}

/**
 * As much work as opening a handshake packet under a secret is, with a result that means nothing: so that time does not
 * tell whether there is a secret.
 */
export function openDecoy(
  crypto: CryptoProvider,
  { header, packet }: { readonly header: Header; readonly packet: Uint8Array },
): void {
  const suite = header.suite.strict ? header.suite : STRICT;
  const secret = new EpochSecret(crypto, suite, header.clientId, 0 as Epoch, new Uint8Array(SECRET_BYTES));
  const keys = secret.helloKeys();
  try {
    openPacket(crypto, keys, suite, packet);
  } catch {
    // Who seals under these keys, which anybody can derive, is refused all the same.
  } finally {
    wipeKeys(keys);
  }
}

/** The record layer of one direction as the primitives of a provider make it, for every suite. */
class PrimitiveRecords implements RecordChain {
  readonly #crypto: CryptoProvider;
  readonly #chain: PacketChain;
  #wiped = false;

  constructor(crypto: CryptoProvider, chain: PacketChain) {
    this.#crypto = crypto;
    this.#chain = chain;
  }

  seal(header: Header, content: Content, plaintextLength: number, iv: Uint8Array): Uint8Array {
    const keys = this.#keys();
    const plaintext = plaintextOf(header, content, plaintextLength);
    const frame = sealFrame(this.#crypto, keys, header, plaintext, iv);
    wipeKeys(keys);
    if (plaintext !== content.message) wipe(plaintext);
    this.#advance(header.suite, frame.subarray(LENGTH_BYTES), content.message);
    return frame;
  }

  open(header: Header, packet: Uint8Array): Content {
    const keys = this.#keys();
    try {
      const content = contentOf(header, openPacket(this.#crypto, keys, header.suite, packet));
      this.#advance(header.suite, packet, content.message);
      return content;
    } finally {
      wipeKeys(keys);
    }
  }

  wipe(): void {
    this.#chain.wipe();
    this.#wiped = true;
  }

  #advance({ ivBytes, tagBytes }: Suite, packet: Uint8Array, message: Uint8Array): void {
    const iv = packet.subarray(HEADER_BYTES, HEADER_BYTES + ivBytes);
    this.#chain.advance(iv, packet.subarray(packet.length - tagBytes), message);
  }

  #keys(): PacketKeys {
    if (this.#wiped) throw new IllegalTransitionError("the keys of this direction are overwritten");
    return this.#chain.keys();
  }
}

/** The provider's own record layer, where it has one for the suite of `chain`. */
function recordsAlong(crypto: CryptoProvider, chain: PacketChain): RecordChain {
  if (crypto.recordChain === undefined || !(chain instanceof Chain))
    return new PrimitiveRecords(crypto, chain);
  return crypto.recordChain(chain.suite, chain.handOver());
}

/** Seals the packets of one direction. */
export class RecordSealer {
  readonly #records: RecordChain;

  /** Takes `chain` over. */
  constructor(crypto: CryptoProvider, chain: PacketChain) {
    this.#records = recordsAlong(crypto, chain);
  }

  /**
   * @param limit the longest message allowed at this place, in bytes: padding stays within it
   * @returns the frame; the chain has moved on
   */
  seal(header: Header, content: Content, padding: PaddingPolicy, limit: number, iv: Uint8Array): Uint8Array {
    const length = plaintextLength(header, content.message.length, padding, limit);
    return this.#records.seal(header, content, length, iv);
  }

  wipe(): void {
    this.#records.wipe();
  }
}

/** Opens the packets of one direction. */
export class RecordOpener {
  readonly #records: RecordChain;

  /** Takes `chain` over. */
  constructor(crypto: CryptoProvider, chain: PacketChain) {
    this.#records = recordsAlong(crypto, chain);
  }

  /**
   * The content of a packet whose header has been checked; then the chain moves on. On an error it has not moved.
   * @throws HmacError, FormatError
   */
  open(header: Header, packet: Uint8Array): Content {
    return this.#records.open(header, packet);
  }

  wipe(): void {
    this.#records.wipe();
  }
}
