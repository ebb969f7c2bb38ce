import { wipe, writeU32 } from "../../bytes.ts";
import { FormatError, HmacError, IllegalTransitionError } from "../../errors.ts";
import { HEADER_BYTES, LENGTH_BYTES } from "../../limits.ts";
import { type Content, KIND_COVER, KIND_MESSAGE } from "../../padding.ts";
import { packetBytes, type Suite } from "../../suites.ts";
import { encodeHeader, type Header } from "../../wire.ts";
import { nodeCrypto } from "../node.ts";
import { Pool } from "../pool.ts";
import type { CryptoProvider, RecordChain } from "../provider.ts";
import { keepFromThreads } from "../shared-memory.ts";
import { type Addon, type NativeChain, STATUS } from "./addon.ts";

const HASH_BYTES = 32;
const BLOCK_BYTES = 16;
const GCM_TAG_BYTES = 16;
/** A longer packet is decrypted where it lies: to set memory aside for it costs more than AES does. */
const IN_PLACE_BYTES = 4_096;
const OPENSSL_FAILED = "OpenSSL failed";

/**
 * One call of the addon for each packet, which derives the keys, encrypts, authenticates and moves the chain; neither chain
 * nor keys ever are in memory of JavaScript. The few packets of a handshake, and secrets at rest, are sealed with the
 * primitives, which are the addon's too.
 */
export function nativeCrypto(addon: Addon): CryptoProvider {
  const frames = new Pool();
  const plaintexts = new Pool();
  const hmacSha256: CryptoProvider["hmacSha256"] = (key, ...parts) => {
    const tag = new Uint8Array(HASH_BYTES);
    addon.hmacSha256(tag, key, ...parts);
    return tag;
  };
  return {
    ...nodeCrypto,
    name: "native",

    sha256(...parts) {
      const hash = new Uint8Array(HASH_BYTES);
      addon.sha256(hash, ...parts);
      return hash;
    },

    hmacSha256,
    hmacTag: hmacSha256,

    cbcEncrypt(key, iv, plaintext) {
      const out = new Uint8Array((Math.floor(plaintext.length / BLOCK_BYTES) + 1) * BLOCK_BYTES);
      if (addon.cbcEncrypt(out, key, iv, plaintext) !== STATUS.done) throw new Error(OPENSSL_FAILED);
      return out;
    },
    cbcDecrypt(key, iv, ciphertext) {
      const out = new Uint8Array(ciphertext.length);
      const length = addon.cbcDecrypt(out, key, iv, ciphertext);
      if (length >= 0) return out.subarray(0, length);
      if (length === STATUS.wrongPadding || length === STATUS.wrongLength) return null;
      throw new Error(OPENSSL_FAILED);
    },

    gcmSeal(key, nonce, associated, plaintext) {
      const out = new Uint8Array(plaintext.length + GCM_TAG_BYTES);
      if (addon.gcmSeal(out, key, nonce, associated, plaintext) !== STATUS.done)
        throw new Error(OPENSSL_FAILED);
      return { ciphertext: out.subarray(0, plaintext.length), tag: out.subarray(plaintext.length) };
    },

    gcmOpen(key, nonce, associated, ciphertext, tag) {
      const out = new Uint8Array(ciphertext.length);
      const status = addon.gcmOpen(out, key, nonce, associated, ciphertext, tag);
      if (status === STATUS.done) return out;
      if (status === STATUS.wrongTag || status === STATUS.wrongLength) return null;
      throw new Error(OPENSSL_FAILED);
    },

    recycle(frame) {
      frames.giveBack(frame);
    },
    recordChain(suite, chain) {
      const native = new addon.RecordChain(suite.id, chain);
      wipe(chain);
      return new NativeRecords(suite, native, frames, plaintexts);
    },
  };
}

class NativeRecords implements RecordChain {
  readonly #suite: Suite;
  readonly #chain: NativeChain;
  readonly #frames: Pool;
  readonly #plaintexts: Pool;

  constructor(suite: Suite, chain: NativeChain, frames: Pool, plaintexts: Pool) {
    this.#suite = suite;
    this.#chain = chain;
    this.#frames = frames;
    this.#plaintexts = plaintexts;
  }

  seal(header: Header, { message, kind }: Content, plaintextLength: number, iv: Uint8Array): Uint8Array {
    const length = packetBytes(this.#suite, plaintextLength);
    const at = this.#frames.reserve(LENGTH_BYTES + length);
    const { room } = this.#frames;
    writeU32(room, length, at);
    encodeHeader(header, room, at + LENGTH_BYTES);
    const start = at + LENGTH_BYTES + HEADER_BYTES;
    for (let i = 0; i < this.#suite.ivBytes; i++) room[start + i] = iv[i] ?? 0;
    const code = kind === "message" ? KIND_MESSAGE : KIND_COVER;
    const status = this.#chain.seal(room, at, LENGTH_BYTES + length, message, plaintextLength, code);
    if (status !== STATUS.done) throw errorOf(status, header);
    // A Buffer, as sockets want it.
    return room.subarray(at, at + LENGTH_BYTES + length);
  }

  open(header: Header, packet: Uint8Array): Content {
    const { ivBytes, tagBytes } = this.#suite;
    const inPlace = packet.length > IN_PLACE_BYTES;
    const ciphertext = Math.max(0, packet.length - HEADER_BYTES - ivBytes - tagBytes);
    const at = inPlace ? HEADER_BYTES + ivBytes : this.#plaintexts.reserve(ciphertext);
    const room = inPlace ? packet : this.#plaintexts.room;
    const opened = this.#chain.open(packet, room, at);
    if (opened < 0) throw errorOf(opened, header);
    // The start of the next packet may lie behind it.
    if (inPlace) keepFromThreads(packet);
    // No Buffer, whose `slice` would surprise who gets the message.
    const message = new Uint8Array(room.buffer, room.byteOffset + at, opened >>> 1);
    return { message, kind: (opened & 1) === 0 ? "message" : "cover" };
  }

  wipe(): void {
    this.#chain.wipe();
  }
}

/** In the words of `record.ts` and `padding.ts`, so that nobody can tell from an error what found it. */
function errorOf(status: number, { opcode }: Header): Error {
  switch (status) {
    case STATUS.wrongTag:
      return new HmacError("the tag is wrong");
    case STATUS.wrongPadding:
      return new FormatError("the padding of the last block is wrong");
    case STATUS.noKind:
      return new FormatError("the plaintext has no known kind byte");
    case STATUS.coverNotAllowed:
      return new FormatError(`a cover, where ${opcode} carries a message`);
    case STATUS.wrongLength:
      return new RangeError("a packet of a length that its suite cannot have");
    case STATUS.wiped:
      return new IllegalTransitionError("the keys of this direction are overwritten");
    default:
      return new Error(OPENSSL_FAILED);
  }
}
