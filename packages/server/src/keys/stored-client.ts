import {
  type ClientId,
  type ClientRecord,
  clientId,
  copyOf,
  KeyError,
  MAX_U32,
  SECRET_BYTES,
  type Suite,
} from "@pawl/protocol";
import type { Random } from "@pawl/protocol/driver";
import type { ClientInfo, ExportedClient } from "./client-info.ts";
import { StoreError } from "./errors.ts";

/** What a store keeps of a client, and what all stores do with it alike. */
export interface StoredClient extends ClientInfo {
  readonly secret: Uint8Array;
}

const GENERATION_BYTES = 8;

/** Section 4.5: 64 random bits. */
export function drawGeneration(random: Random): bigint {
  return generationFrom(random(GENERATION_BYTES));
}

/** The generation in 8 big-endian bytes. */
export function generationFrom(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, GENERATION_BYTES).getBigUint64(0);
}

export function generationBytes(generation: bigint): Uint8Array {
  const bytes = new Uint8Array(GENERATION_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, generation);
  return bytes;
}

/** With copies of its own, of the secret too. */
export function recordOf(client: StoredClient): ClientRecord {
  const { clientId, suite, generation, epoch, secret, accepted, window, revoked } = client;
  return {
    clientId,
    suite,
    generation,
    epoch,
    secret: copyOf(secret),
    accepted: accepted === null ? null : { epoch: accepted.epoch, t: copyOf(accepted.t) },
    window,
    revoked: revoked !== null,
  };
}

/** Without the secret. */
export function infoOf(client: ClientInfo): ClientInfo {
  const { clientId, suite, generation, epoch, window, accepted, label, created, moved, lastSeen, revoked } =
    client;
  return {
    clientId,
    suite,
    generation,
    epoch,
    window,
    accepted: accepted === null ? null : { epoch: accepted.epoch, t: copyOf(accepted.t) },
    label,
    created,
    moved,
    lastSeen,
    revoked: revoked === null ? null : { ...revoked },
  };
}

/** With copies of its own, of the secret too. */
export function exportOf(client: StoredClient): ExportedClient {
  const { generation: _generation, window: _window, ...info } = infoOf(client);
  return { ...info, secret: copyOf(client.secret) };
}

/** @throws KeyError unless the secret has the length that its suite asks for (sections 3 and 4.2). */
export function checkSecret(suite: Suite, secret: Uint8Array): void {
  if (suite.strict && secret.length !== SECRET_BYTES) {
    throw new KeyError(`an epoch secret has ${SECRET_BYTES} bytes, not ${secret.length}`);
  }
  if (secret.length === 0) throw new KeyError("a base key has at least one byte");
}

/**
 * The lowest `count` ids that are not among `taken`, which ascends.
 * @throws RangeError unless `count` is an integer of 0 or more; StoreError when so many are not left.
 */
export function lowestFree(taken: Iterable<number>, count: number): ClientId[] {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`cannot choose ${count} client ids`);
  const free: ClientId[] = [];
  let candidate = 1;
  for (const id of taken) {
    while (candidate < id && free.length < count) free.push(clientId(candidate++));
    if (free.length === count) return free;
    candidate = id + 1;
  }
  if (count - free.length > MAX_U32 - candidate + 1)
    throw new StoreError("there are not so many free client ids");
  while (free.length < count) free.push(clientId(candidate++));
  return free;
}
