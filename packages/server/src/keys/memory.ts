import { type ClientId, type ClientRecord, copyOf, DEFAULT_WINDOW, epoch, toHex, wipe } from "@pawl/protocol";
import { type Clock, type Random, systemClock, systemRandom } from "@pawl/protocol/driver";
import {
  AlreadyEnrolledError,
  ClientCapError,
  PskAlreadyImportedError,
  StoreError,
  UnknownClientError,
} from "./errors.ts";
import type { ClientInfo, Commit, CommitOutcome, KeyStore, NewClient, StoreChange } from "./store.ts";
import {
  checkCommit,
  checkSecret,
  drawGeneration,
  infoOf,
  lowestFree,
  recordOf,
  type StoredClient,
} from "./stored-client.ts";
import { Watchers } from "./watchers.ts";

export interface MemoryStoreOptions {
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * A key store that lives and dies with the process: for tests, demonstrations and the lab. Nothing in it is durable,
 * so a client that moved on is behind nobody but also known to nobody after a restart.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): KeyStore {
  return new MemoryStore(options.clock ?? systemClock, options.random ?? systemRandom);
}

class MemoryStore implements KeyStore {
  readonly #clients = new Map<ClientId, StoredClient>();
  /** By check value in hexadecimal. Outlives its client, as in every store. */
  readonly #imports = new Set<string>();
  readonly #watchers = new Watchers();
  readonly #clock: Clock;
  readonly #random: Random;
  #closed = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  async lookUp(clientId: ClientId): Promise<ClientRecord | null> {
    this.#checkOpen();
    return this.#record(clientId);
  }

  async commit(change: Commit): Promise<CommitOutcome> {
    this.#checkOpen();
    checkCommit(change);
    const { expected, next, accepted } = change;
    const client = this.#clients.get(change.clientId);
    if (
      client === undefined ||
      client.generation !== expected.generation ||
      client.epoch !== expected.epoch ||
      client.revoked !== null
    ) {
      return { outcome: "lost", current: this.#record(change.clientId) };
    }
    const moved = { ...client, epoch: next.epoch, secret: copyOf(next.secret) };
    this.#put(
      accepted === null
        ? moved
        : {
            ...moved,
            accepted: { epoch: accepted.epoch, t: copyOf(accepted.t) },
            lastSeen: this.#now(),
            window: DEFAULT_WINDOW,
          },
    );
    return { outcome: "done" };
  }

  async add(
    clients: readonly NewClient[],
    options: { readonly maxClients?: number } = {},
  ): Promise<ClientInfo[]> {
    this.#checkOpen();
    this.#checkNew(clients, options.maxClients ?? Number.POSITIVE_INFINITY);
    const created = this.#now();
    return clients.map(({ clientId, suite, secret, label, importCheck }) => {
      if (importCheck != null) this.#imports.add(toHex(importCheck));
      return this.#put({
        clientId,
        suite,
        generation: drawGeneration(this.#random),
        epoch: epoch(0),
        window: DEFAULT_WINDOW,
        accepted: null,
        label: label ?? null,
        created,
        lastSeen: null,
        revoked: null,
        secret: copyOf(secret),
      });
    });
  }

  async freeIds(count: number): Promise<ClientId[]> {
    this.#checkOpen();
    return lowestFree(this.#ids(), count);
  }

  async get(clientId: ClientId): Promise<ClientInfo | null> {
    this.#checkOpen();
    const client = this.#clients.get(clientId);
    return client === undefined ? null : infoOf(client);
  }

  async *list(): AsyncGenerator<ClientInfo> {
    this.#checkOpen();
    for (const id of this.#ids()) {
      const client = this.#clients.get(id);
      if (client !== undefined) yield infoOf(client);
    }
  }

  async count(): Promise<number> {
    this.#checkOpen();
    return this.#clients.size;
  }

  async revoke(clientId: ClientId, reason: string): Promise<ClientInfo> {
    const client = this.#known(clientId);
    const revoked = { at: this.#now(), reason };
    const generation = drawGeneration(this.#random);
    return this.#put({ ...client, secret: copyOf(client.secret), generation, accepted: null, revoked });
  }

  async reissue(clientId: ClientId, secret: Uint8Array): Promise<ClientInfo> {
    const client = this.#known(clientId);
    checkSecret(client.suite, secret);
    return this.#put({
      ...client,
      secret: copyOf(secret),
      generation: drawGeneration(this.#random),
      epoch: epoch(0),
      window: DEFAULT_WINDOW,
      accepted: null,
      revoked: null,
    });
  }

  async remove(clientId: ClientId): Promise<void> {
    const client = this.#known(clientId);
    wipe(client.secret);
    this.#clients.delete(clientId);
    this.#watchers.tell({ clientId, now: null });
  }

  async rename(clientId: ClientId, label: string | null): Promise<ClientInfo> {
    const client = { ...this.#known(clientId), label };
    this.#clients.set(clientId, client);
    return infoOf(client);
  }

  watch(listener: (change: StoreChange) => void): () => void {
    this.#checkOpen();
    return this.#watchers.add(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const client of this.#clients.values()) wipe(client.secret);
    this.#clients.clear();
    this.#watchers.clear();
  }

  /** Stores what has a secret buffer of its own, overwrites the one it replaces, tells. */
  #put(client: StoredClient): ClientInfo {
    wipe(this.#clients.get(client.clientId)?.secret);
    this.#clients.set(client.clientId, client);
    const { clientId, generation, epoch, revoked } = client;
    this.#watchers.tell({ clientId, now: { generation, epoch, revoked: revoked !== null } });
    return infoOf(client);
  }

  #checkNew(clients: readonly NewClient[], cap: number): void {
    const ids = new Set(this.#clients.keys());
    const imports = new Set(this.#imports);
    for (const { clientId, suite, secret } of clients) {
      checkSecret(suite, secret);
      if (ids.has(clientId)) throw new AlreadyEnrolledError(clientId);
      ids.add(clientId);
    }
    for (const { clientId, importCheck } of clients) {
      if (importCheck == null) continue;
      if (imports.has(toHex(importCheck))) throw new PskAlreadyImportedError(clientId);
      imports.add(toHex(importCheck));
    }
    if (clients.length > 0 && ids.size > cap) {
      throw new ClientCapError(this.#clients.size, clients.length, cap);
    }
  }

  #record(clientId: ClientId): ClientRecord | null {
    const client = this.#clients.get(clientId);
    return client === undefined ? null : recordOf(client);
  }

  #known(clientId: ClientId): StoredClient {
    this.#checkOpen();
    const client = this.#clients.get(clientId);
    if (client === undefined) throw new UnknownClientError(clientId);
    return client;
  }

  #ids(): ClientId[] {
    return [...this.#clients.keys()].sort((a, b) => a - b);
  }

  #now(): number {
    return Math.trunc(this.#clock.now());
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreError("the key store is closed");
  }
}
