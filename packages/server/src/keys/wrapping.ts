import {
  type ClientId,
  concat,
  copyOf,
  defaultCrypto,
  type Epoch,
  toHex,
  u32,
  utf8,
  wipe,
  writeU32,
} from "@pawl/protocol";
import type { Random } from "@pawl/protocol/driver";
import { StoreError } from "./errors.ts";

/**
 * Secrets at rest: AES-256-GCM under a *db key* of 32 bytes that lives outside of the database. Each client has a
 * wrapping key of its own, `HKDF-Expand(db key, "pawl/1 wrap" ‖ 0x00 ‖ u32 clientId)`, so random nonces stay far from
 * the bound of 2³² under one key, however long the fleet lives. The associated data binds suite, client, epoch and
 * service: a secret that is moved to another row, another epoch or another server does not open.
 */

/** Bytes of a db key. */
export const DB_KEY_BYTES = 32;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ID_BYTES = 8;

const COUNTER_1 = Uint8Array.of(1);
const DB_KEY_ID = labelInfo("db key id");
const WRAP = labelInfo("wrap");
const WRAP_AUDIT_KEY = labelInfo("wrap audit key");

function labelInfo(label: string): Uint8Array {
  return utf8(`pawl/1 ${label}\u0000`);
}

/** What a wrapped secret belongs to. */
export interface SecretBinding {
  readonly service: string;
  readonly suite: number;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
}

/** The db keys that this process has, by id. */
export class Keyring {
  readonly #keys = new Map<string, Uint8Array>();

  /** Copies the keys. @throws StoreError for one of another length */
  constructor(keys: readonly Uint8Array[]) {
    for (const key of keys) {
      if (key.length !== DB_KEY_BYTES)
        throw new StoreError(`a db key has ${DB_KEY_BYTES} bytes, not ${key.length}`);
      this.#keys.set(dbKeyId(key), copyOf(key));
    }
  }

  /** In the order given. */
  get ids(): readonly string[] {
    return [...this.#keys.keys()];
  }

  has(id: string): boolean {
    return this.#keys.has(id);
  }

  /** @throws MissingDbKeyError */
  get(id: string): Uint8Array {
    const key = this.#keys.get(id);
    if (key === undefined) throw new MissingDbKeyError(id, this.ids);
    return key;
  }

  wipe(): void {
    wipe(...this.#keys.values());
    this.#keys.clear();
  }
}

/** The database is wrapped under a key that is not here: another db key, or one that was replaced meanwhile. */
export class MissingDbKeyError extends StoreError {
  readonly keyId: string;

  constructor(id: string, have: readonly string[]) {
    const here = have.length === 0 ? "none was given" : `what was given is ${have.join(" and ")}`;
    super(
      `the key database is encrypted under db key ${id}, and ${here}; put that key's file (db.key) back, or name it`,
    );
    this.keyId = id;
  }
}

/** Names a db key without telling it. */
export function dbKeyId(key: Uint8Array): string {
  return toHex(expandLabel(key, DB_KEY_ID, new Uint8Array()).subarray(0, ID_BYTES));
}

/** `nonce ‖ ciphertext ‖ tag`. `secret` stays the caller's. */
export function wrapSecret(
  key: Uint8Array,
  binding: SecretBinding,
  secret: Uint8Array,
  random: Random,
): Uint8Array {
  return seal(wrappingKey(key, binding.clientId), associatedData(binding), secret, random);
}

/** Null where it does not open: altered, moved to another place, or of another key. */
export function unwrapSecret(
  key: Uint8Array,
  binding: SecretBinding,
  wrapped: Uint8Array,
): Uint8Array | null {
  return open(wrappingKey(key, binding.clientId), associatedData(binding), wrapped);
}

/** The same for the key of the audit log, bound to the store. */
export function wrapAuditKey(
  key: Uint8Array,
  storeId: Uint8Array,
  secret: Uint8Array,
  random: Random,
): Uint8Array {
  return seal(expandLabel(key, WRAP_AUDIT_KEY, storeId), storeId, secret, random);
}

export function unwrapAuditKey(key: Uint8Array, storeId: Uint8Array, wrapped: Uint8Array): Uint8Array | null {
  return open(expandLabel(key, WRAP_AUDIT_KEY, storeId), storeId, wrapped);
}

function wrappingKey(key: Uint8Array, clientId: ClientId): Uint8Array {
  return expandLabel(key, WRAP, u32(clientId));
}

/** `u8 suite ‖ u32 clientId ‖ u32 epoch ‖ service` */
function associatedData({ service, suite, clientId, epoch }: SecretBinding): Uint8Array {
  const name = utf8(service);
  const bytes = new Uint8Array(9 + name.length);
  bytes[0] = suite;
  writeU32(bytes, clientId, 1);
  writeU32(bytes, epoch, 5);
  bytes.set(name, 9);
  return bytes;
}

/** Overwrites `key`. */
function seal(key: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, random: Random): Uint8Array {
  const nonce = random(NONCE_BYTES);
  const { ciphertext, tag } = defaultCrypto().gcmSeal(key, nonce, associated, plaintext);
  wipe(key);
  return concat(nonce, ciphertext, tag);
}

/** Overwrites `key`. */
function open(key: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  try {
    if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
    const tagAt = sealed.length - TAG_BYTES;
    return defaultCrypto().gcmOpen(
      key,
      sealed.subarray(0, NONCE_BYTES),
      associated,
      sealed.subarray(NONCE_BYTES, tagAt),
      sealed.subarray(tagAt),
    );
  } finally {
    wipe(key);
  }
}

/** HKDF-Expand (RFC 5869, 2.3) of one block. */
function expandLabel(key: Uint8Array, info: Uint8Array, context: Uint8Array): Uint8Array {
  return defaultCrypto().hmacSha256(key, info, context, COUNTER_1);
}
