import {
  type ClientId,
  type ClientRecord,
  copyOf,
  DEFAULT_WINDOW,
  epoch,
  RESTORED_WINDOW,
  toHex,
  wipe,
} from "@pawl/protocol";
import { type Clock, type Random, systemClock, systemRandom } from "@pawl/protocol/driver";
import type { Alarm, AlarmTally } from "./alarm.ts";
import { type AuditEntry, enrolmentOf, entryOf, stateOf } from "./audit.ts";
import { checkCommit } from "./commit.ts";
import {
  AlreadyEnrolledError,
  ClientCapError,
  PskAlreadyImportedError,
  UnknownClientError,
} from "./errors.ts";
import { MemoryLog } from "./memory-log.ts";
import type {
  ClientInfo,
  Commit,
  CommitOutcome,
  ExportedClient,
  KeyStore,
  NewClient,
  StoreChange,
} from "./store.ts";
import { storeClosed } from "./store-closed.ts";
import {
  checkSecret,
  drawGeneration,
  exportOf,
  infoOf,
  lowestFree,
  recordOf,
  type StoredClient,
} from "./stored-client.ts";
import { type Verification, type VerifyOptions, verify } from "./verify.ts";
import { Watchers } from "./watchers.ts";

export interface MemoryStoreOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** Who the audit log says did it. */
  readonly actor?: string;
}

/**
 * A key store that lives and dies with the process: for tests, demonstrations and the lab. Nothing in it is durable,
 * so a client that moved on is behind nobody but also known to nobody after a restart.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): KeyStore {
  const { clock = systemClock, random = systemRandom, actor = "library" } = options;
  return new MemoryStore(clock, random, actor);
}

class MemoryStore implements KeyStore {
  readonly #clients = new Map<ClientId, StoredClient>();
  /** By check value in hexadecimal. Outlives its client, as in every store. */
  readonly #imports = new Set<string>();
  readonly #watchers = new Watchers();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: MemoryLog;
  #closed = false;

  constructor(clock: Clock, random: Random, actor: string) {
    this.#clock = clock;
    this.#random = random;
    this.#log = new MemoryLog(() => this.#now(), random, actor);
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
    const now = this.#now();
    const moved = { ...client, epoch: next.epoch, secret: copyOf(next.secret), moved: now };
    this.#put(
      accepted === null
        ? moved
        : {
            ...moved,
            accepted: { epoch: accepted.epoch, t: copyOf(accepted.t) },
            lastSeen: now,
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
      const generation = drawGeneration(this.#random);
      this.#log.note({ kind: "enrolled", clientId, generation, details: enrolmentOf(suite.name, label) });
      return this.#put({
        clientId,
        suite,
        generation,
        epoch: epoch(0),
        window: DEFAULT_WINDOW,
        accepted: null,
        label: label ?? null,
        created,
        moved: created,
        lastSeen: null,
        revoked: null,
        secret: copyOf(secret),
      });
    });
  }

  async *exportClients(): AsyncGenerator<ExportedClient> {
    this.#checkOpen();
    const details = { clients: this.#clients.size };
    this.#log.note({ kind: "exported", clientId: null, generation: null, details });
    for (const id of this.#ids()) {
      const client = this.#clients.get(id);
      if (client !== undefined) yield exportOf(client);
    }
  }

  async importClients(
    clients: readonly ExportedClient[],
    options: { readonly maxClients?: number } = {},
  ): Promise<ClientInfo[]> {
    this.#checkOpen();
    this.#checkNew(clients, options.maxClients ?? Number.POSITIVE_INFINITY);
    return clients.map((client) => {
      const generation = drawGeneration(this.#random);
      const { clientId } = client;
      this.#log.note({ kind: "imported", clientId, generation, details: stateOf(client) });
      return this.#put({ ...client, secret: copyOf(client.secret), generation, window: RESTORED_WINDOW });
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
    this.#log.note({ kind: "revoked", clientId, generation, details: { reason } });
    return this.#put({ ...client, secret: copyOf(client.secret), generation, accepted: null, revoked });
  }

  async reissue(clientId: ClientId, secret: Uint8Array, reason?: string): Promise<ClientInfo> {
    const client = this.#known(clientId);
    checkSecret(client.suite, secret);
    const generation = drawGeneration(this.#random);
    this.#log.note({ kind: "reissued", clientId, generation, details: { reason: reason ?? null } });
    this.#log.forgetAlarms(clientId);
    return this.#put({
      ...client,
      secret: copyOf(secret),
      generation,
      epoch: epoch(0),
      window: DEFAULT_WINDOW,
      accepted: null,
      moved: this.#now(),
      revoked: null,
    });
  }

  async remove(clientId: ClientId, reason?: string): Promise<void> {
    const client = this.#known(clientId);
    wipe(client.secret);
    this.#log.note({ kind: "removed", clientId, generation: null, details: { reason: reason ?? null } });
    this.#log.forgetAlarms(clientId);
    this.#clients.delete(clientId);
    this.#watchers.tell({ clientId, now: null });
  }

  async rename(clientId: ClientId, label: string | null): Promise<ClientInfo> {
    const client = { ...this.#known(clientId), label };
    this.#log.note({ kind: "renamed", clientId, generation: client.generation, details: { label } });
    this.#clients.set(clientId, client);
    return infoOf(client);
  }

  async alarm(alarm: Alarm): Promise<void> {
    this.#checkOpen();
    const client = this.#clients.get(alarm.clientId);
    if (client !== undefined) this.#log.alarm(alarm, client.generation);
  }

  async alarms(clientId: ClientId): Promise<AlarmTally[]> {
    this.#checkOpen();
    return this.#log.alarms(clientId);
  }

  async alarmed(): Promise<ClientId[]> {
    this.#checkOpen();
    return this.#log.alarmed();
  }

  async *log(
    options: { readonly clientId?: ClientId; readonly after?: number } = {},
  ): AsyncGenerator<AuditEntry> {
    this.#checkOpen();
    const { clientId, after = 0 } = options;
    for (const row of this.#log.rows.slice(after)) {
      const entry = entryOf(row);
      if (clientId === undefined || entry.clientId === clientId) yield entry;
    }
  }

  async verify(options: VerifyOptions = {}): Promise<Verification> {
    this.#checkOpen();
    return verify(
      {
        storeId: this.#log.storeId,
        auditKey: this.#log.auditKey,
        rows: () => this.#log.rows,
        ids: () => this.#ids(),
        client: (id) => {
          const client = this.#clients.get(id);
          return client === undefined ? null : { ...client, secret: copyOf(client.secret) };
        },
        integrity: () => [],
      },
      options,
    );
  }

  async probe(): Promise<void> {
    this.#checkOpen();
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

  #checkNew(clients: readonly (NewClient | ExportedClient)[], cap: number): void {
    const ids = new Set(this.#clients.keys());
    const imports = new Set(this.#imports);
    for (const { clientId, suite, secret } of clients) {
      checkSecret(suite, secret);
      if (ids.has(clientId)) throw new AlreadyEnrolledError(clientId);
      ids.add(clientId);
    }
    for (const client of clients) {
      const { clientId } = client;
      const importCheck = "importCheck" in client ? client.importCheck : null;
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
    if (this.#closed) throw storeClosed();
  }
}
