import {
  type ClientId,
  concat,
  copyOf,
  type Epoch,
  epoch as toEpoch,
  u32,
  utf8,
  wipe,
  writeU32,
} from "./bytes.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import { EpochExhaustedError, KeyError } from "./errors.ts";
import { LAST_EPOCH, MIN_PSK_BYTES, SECRET_BYTES } from "./limits.ts";
import type { Suite } from "./suites.ts";

/**
 * Every derivation, one class a stage, each with the calls that are legal there: EpochSecret → SessionSecret → Chain,
 * and ClassicChain for the suite without epochs. A stage overwrites its bytes when it is wiped or moved on.
 */

const PREFIX = "pawl/1 ";
const HASH_BYTES = 32;

/**
 * Section 4.1: `X(k, label, ctx, n) = HKDF-Expand(k, "pawl/1 " ‖ label ‖ 0x00 ‖ ctx, n)` (RFC 5869, 2.3).
 * @param length 1 … 8,160 bytes
 */
export function expand(
  crypto: CryptoProvider,
  key: Uint8Array,
  label: string,
  context: Uint8Array,
  length = SECRET_BYTES,
): Uint8Array {
  const info = labelInfo(label);
  const first = crypto.hmacSha256(key, info, context, COUNTER_1);
  if (length <= HASH_BYTES) {
    first.fill(0, length);
    return length === HASH_BYTES ? first : first.subarray(0, length);
  }
  const out = new Uint8Array(length);
  out.set(first.subarray(0, length));
  let block = first;
  for (let counter = 2, at = HASH_BYTES; at < length; counter++, at += HASH_BYTES) {
    const next = crypto.hmacSha256(key, block, info, context, Uint8Array.of(counter));
    wipe(block);
    block = next;
    out.set(block.subarray(0, length - at), at);
  }
  wipe(block);
  return out;
}

const NO_CONTEXT = new Uint8Array();
const COUNTER_1 = Uint8Array.of(1);
const LABELS = new Map<string, Uint8Array>();

/** `"pawl/1 " ‖ label ‖ 0x00`, made once for each label. */
function labelInfo(label: string): Uint8Array {
  const known = LABELS.get(label);
  if (known !== undefined) return known;
  const info = concat(utf8(PREFIX + label), Uint8Array.of(0));
  LABELS.set(label, info);
  return info;
}

/** HKDF-Extract (RFC 5869, 2.2). */
export function extract(crypto: CryptoProvider, salt: Uint8Array, key: Uint8Array): Uint8Array {
  return crypto.hmacSha256(salt, key);
}

/** Section 4.2: `who = u8 suite ‖ u32 clientId`. */
function who(suite: Suite, clientId: ClientId): Uint8Array {
  return concat(Uint8Array.of(suite.id), u32(clientId));
}

/** `who ‖ u32 epoch`, written at once: an epoch secret of a handshake has several derivations. */
function whoAt(suite: Suite, clientId: ClientId, epoch: Epoch): Uint8Array {
  const context = new Uint8Array(9);
  context[0] = suite.id;
  writeU32(context, clientId, 1);
  writeU32(context, epoch, 5);
  return context;
}

/** What a packet is sealed with. `mac` is null in suite 3. */
export interface PacketKeys {
  readonly enc: Uint8Array;
  readonly mac: Uint8Array | null;
}

/** Section 4.3: `enc = X(chain, "enc", –, n)`, `mac = X(chain, "mac", –)`. */
export function packetKeys(crypto: CryptoProvider, suite: Suite, chain: Uint8Array): PacketKeys {
  return {
    enc: expand(crypto, chain, "enc", NO_CONTEXT, suite.encKeyBytes),
    mac: suite.cipher === "gcm" ? null : expand(crypto, chain, "mac", NO_CONTEXT),
  };
}

export function wipeKeys(keys: PacketKeys): void {
  wipe(keys.enc, keys.mac);
}

/** `E_e` of one client. */
export class EpochSecret {
  readonly suite: Suite;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
  readonly #crypto: CryptoProvider;
  readonly #secret: Uint8Array;
  /** Of its derivations. */
  readonly #context: Uint8Array;

  /** Takes `secret` (32 bytes) over. @throws KeyError on another length */
  constructor(crypto: CryptoProvider, suite: Suite, clientId: ClientId, epoch: Epoch, secret: Uint8Array) {
    if (secret.length !== SECRET_BYTES) {
      throw new KeyError(`an epoch secret has ${SECRET_BYTES} bytes, not ${secret.length}`);
    }
    this.#crypto = crypto;
    this.suite = suite;
    this.clientId = clientId;
    this.epoch = epoch;
    this.#secret = secret;
    this.#context = whoAt(suite, clientId, epoch);
  }

  /** Keys of the one HELLO of a connection: those of `hello_e`, which does not ratchet (section 4.4). */
  helloKeys(): PacketKeys {
    return this.#handshakeKeys("c2s hello");
  }

  /** Keys of CHALLENGE: those of `challenge_e` (section 4.4). */
  challengeKeys(): PacketKeys {
    return this.#handshakeKeys("s2c challenge");
  }

  /** `S_e` (section 4.2). */
  session(): SessionSecret {
    return new SessionSecret(this.#crypto, this.suite, this.#derive("session"));
  }

  /** `E_{e+1}`. @throws EpochExhaustedError at the last epoch, which is never left */
  next(): EpochSecret {
    if (this.epoch === LAST_EPOCH)
      throw new EpochExhaustedError("the last epoch is never left; reissue the client");
    const secret = this.#derive("next epoch");
    return new EpochSecret(this.#crypto, this.suite, this.clientId, toEpoch(this.epoch + 1), secret);
  }

  /** `E_to`, for `to` at or after this epoch; this one stays as it is. One derivation an epoch. */
  forward(to: Epoch): EpochSecret {
    let at = new EpochSecret(this.#crypto, this.suite, this.clientId, this.epoch, copyOf(this.#secret));
    while (at.epoch < to) {
      const next = at.next();
      at.wipe();
      at = next;
    }
    return at;
  }

  /** A copy of the 32 bytes, to be stored and then overwritten. */
  copy(): Uint8Array {
    return copyOf(this.#secret);
  }

  wipe(): void {
    wipe(this.#secret);
  }

  #derive(label: string): Uint8Array {
    return expand(this.#crypto, this.#secret, label, this.#context);
  }

  #handshakeKeys(label: string): PacketKeys {
    const chain = this.#derive(label);
    const keys = packetKeys(this.#crypto, this.suite, chain);
    wipe(chain);
    return keys;
  }
}

/** `S_e`: gives the first chains and is gone. */
export class SessionSecret {
  readonly #crypto: CryptoProvider;
  readonly #suite: Suite;
  readonly #secret: Uint8Array;

  /** Takes `secret` over. */
  constructor(crypto: CryptoProvider, suite: Suite, secret: Uint8Array) {
    this.#crypto = crypto;
    this.#suite = suite;
    this.#secret = secret;
  }

  /** Section 4.4: `X(S_e, "c2s traffic", T)` and `X(S_e, "s2c traffic", T)`. Overwrites `S_e`. */
  traffic(transcript: Uint8Array): { c2s: Chain; s2c: Chain } {
    const chain = (label: string) =>
      new Chain(this.#crypto, this.#suite, expand(this.#crypto, this.#secret, label, transcript));
    const chains = { c2s: chain("c2s traffic"), s2c: chain("s2c traffic") };
    wipe(this.#secret);
    return chains;
  }
}

/** Section 4.4: `T = H(H(HELLO packet) ‖ H(CHALLENGE packet))`. */
export function transcriptOf(
  crypto: CryptoProvider,
  helloHash: Uint8Array,
  challengePacket: Uint8Array,
): Uint8Array {
  return crypto.sha256(helloHash, crypto.sha256(challengePacket));
}

/** What the keys of one direction are taken from, and how they move. */
export interface PacketChain {
  /** The keys of the next packet; the caller overwrites them. */
  keys(): PacketKeys;
  /** Moves on after a packet was sealed (opened); what was before is overwritten. */
  advance(iv: Uint8Array, tag: Uint8Array, message: Uint8Array): void;
  wipe(): void;
}

/** Section 4.3: 32 bytes that ratchet with every packet of their direction. */
export class Chain implements PacketChain {
  readonly suite: Suite;
  readonly #crypto: CryptoProvider;
  #chain: Uint8Array;

  /** Takes `chain` over. */
  constructor(crypto: CryptoProvider, suite: Suite, chain: Uint8Array) {
    this.#crypto = crypto;
    this.suite = suite;
    this.#chain = chain;
  }

  keys(): PacketKeys {
    return packetKeys(this.#crypto, this.suite, this.#chain);
  }

  /** `chain' = X(chain, "ratchet", iv ‖ tag)`: the message is in it through the tag. */
  advance(iv: Uint8Array, tag: Uint8Array): void {
    const next = expand(this.#crypto, this.#chain, "ratchet", concat(iv, tag));
    wipe(this.#chain);
    this.#chain = next;
  }

  wipe(): void {
    wipe(this.#chain);
  }

  /** The 32 bytes themselves, for a record layer that keeps them elsewhere: this object is not used any more. */
  handOver(): Uint8Array {
    return this.#chain;
  }
}

/** Section 3: the keys of one direction of classic, which share their first bytes. */
export class ClassicChain implements PacketChain {
  readonly #crypto: CryptoProvider;
  #enc: Uint8Array;
  #mac: Uint8Array;

  private constructor(crypto: CryptoProvider, enc: Uint8Array, mac: Uint8Array) {
    this.#crypto = crypto;
    this.#enc = enc;
    this.#mac = mac;
  }

  /** `master = H(basekey ‖ decimal(clientId))`, `enc = master[0..16)`, `mac = master`: the same for both directions. */
  static start(crypto: CryptoProvider, basekey: Uint8Array, clientId: ClientId): ClassicChain {
    const master = crypto.sha256(basekey, utf8(String(clientId)));
    return ClassicChain.fromKeys(crypto, copyOf(master, 0, 16), master);
  }

  /** Takes both over. */
  static fromKeys(crypto: CryptoProvider, enc: Uint8Array, mac: Uint8Array): ClassicChain {
    return new ClassicChain(crypto, enc, mac);
  }

  keys(): PacketKeys {
    return { enc: copyOf(this.#enc), mac: copyOf(this.#mac) };
  }

  /** `enc' = H(enc ‖ m)[0..16)`, `mac' = H(mac ‖ m)`. */
  advance(_iv: Uint8Array, _tag: Uint8Array, message: Uint8Array): void {
    const hashed = this.#crypto.sha256(this.#enc, message);
    const enc = copyOf(hashed, 0, 16);
    const mac = this.#crypto.sha256(this.#mac, message);
    wipe(hashed, this.#enc, this.#mac);
    this.#enc = enc;
    this.#mac = mac;
  }

  wipe(): void {
    wipe(this.#enc, this.#mac);
  }
}

/** What a pre-shared key of somebody else becomes, and what tells that it was imported already. */
export interface ImportedPsk {
  /** `E_0`, 32 bytes. */
  readonly secret: Uint8Array;
  /** Kept by the record, 32 bytes: the same psk with the same enrolment is refused a second time. */
  readonly check: Uint8Array;
}

/**
 * Section 4.2 (RFC 9257, RFC 9258: bound to its use). The caller forgets `psk` afterwards.
 * @param enrolment 0, 1, …, and `service` names this server: configured on both sides
 * @throws KeyError where `psk` is under 16 bytes, the suite has no epochs, or `enrolment` is no u32
 */
export function importPsk(
  crypto: CryptoProvider,
  options: { suite: Suite; clientId: ClientId; psk: Uint8Array; enrolment: number; service: string },
): ImportedPsk {
  const { suite, clientId, psk, enrolment, service } = options;
  if (!suite.strict) throw new KeyError("classic takes no pre-shared key, only a base key");
  if (psk.length < MIN_PSK_BYTES) {
    throw new KeyError(`a pre-shared key has at least ${MIN_PSK_BYTES} random bytes, not ${psk.length}`);
  }
  if (!Number.isInteger(enrolment) || enrolment < 0 || enrolment > 0xffff_ffff) {
    throw new KeyError(`an enrolment is an integer from 0 to ${0xffff_ffff}, not ${enrolment}`);
  }
  const extracted = extract(crypto, utf8(`${PREFIX}import`), psk);
  const context = concat(who(suite, clientId), u32(enrolment), utf8(service));
  const secret = expand(crypto, extracted, "import", context);
  const check = expand(crypto, extracted, "import check", context);
  wipe(extracted);
  return { secret, check };
}
