import { type ClientId, type ClientRecord, copyOf, wipe } from "@pawl/protocol";
import { type Clock, type Random, systemClock, systemRandom } from "@pawl/protocol/driver";
import {
  AlreadyEnrolledError,
  ClientCapError,
  PskAlreadyImportedError,
  StoreError,
  UnknownClientError,
} from "../errors.ts";
import type { ClientInfo, Commit, CommitOutcome, KeyStore, NewClient, StoreChange } from "../store.ts";
import {
  checkCommit,
  checkSecret,
  drawGeneration,
  generationBytes,
  lowestFree,
  recordOf,
} from "../stored-client.ts";
import { ChangeFeed } from "./change-feed.ts";
import { openReader } from "./connection.ts";
import { prepareFile } from "./files.ts";
import type { Operation, OperationResult } from "./messages.ts";
import { Reader } from "./reader.ts";
import { type InfoRow, infoFromRow } from "./rows.ts";
import { type WriterStats, WriterThread } from "./thread.ts";

export interface SqliteStoreOptions {
  /** The database file. Its folder must be writable; `-wal` and `-shm` files appear beside it, and are part of it. */
  readonly path: string;
  /** Make the file (mode 0600) where there is none. Default: false. */
  readonly create?: boolean;
  /** Default: the system's time, with timers that do not keep the process alive. */
  readonly clock?: Clock;
  readonly random?: Random;
}

export type SqliteStoreStats = WriterStats;

export interface SqliteStore extends KeyStore {
  /** Since it was opened: how many operations shared a transaction. */
  readonly stats: SqliteStoreStats;
}

/**
 * A durable key store in one SQLite file, which any number of processes on this machine share (the server and
 * `pawl keys`). An acknowledged change has been synced to disk. Writes run in a thread of their own that groups what
 * waits into one transaction; reads take microseconds on the event loop.
 *
 * A secret that was replaced is overwritten in the database (`secure_delete`) and out of the write-ahead log within
 * about a second, unless a reader of another process stands in the way. What the file system, the disk and a backup
 * still hold of it is beyond this. In memory, copies are overwritten where they are ours; SQLite's page cache and the
 * driver's copies of what is bound and read are freed as they are.
 *
 * @throws StoreError with what to do: no file, not a key database, damaged, of a newer version, readable by others,
 * not writable, disk full, a setting that is not in force.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { path, create = false } = options;
  await prepareFile(path, create);
  const thread = await WriterThread.start({ path, create });
  try {
    const reader = new Reader(await openReader(path), path);
    return new SqliteKeyStore(
      reader,
      thread,
      options.clock ?? backgroundClock,
      options.random ?? systemRandom,
    );
  } catch (error) {
    await thread.close();
    throw error;
  }
}

/** Nobody should have to close a store only to let a process end. */
const backgroundClock: Clock = {
  now: systemClock.now,
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** Exported for its test alone. */
export class SqliteKeyStore implements SqliteStore {
  readonly #reader: Reader;
  readonly #thread: WriterThread;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #feed: ChangeFeed;
  #closing: Promise<void> | null = null;

  constructor(reader: Reader, thread: WriterThread, clock: Clock, random: Random) {
    this.#reader = reader;
    this.#thread = thread;
    this.#clock = clock;
    this.#random = random;
    const version = () => thread.version();
    this.#feed = new ChangeFeed(
      { all: () => reader.states(), one: (id) => reader.state(id), version },
      clock,
    );
  }

  get stats(): SqliteStoreStats {
    return this.#thread.stats;
  }

  async lookUp(clientId: ClientId): Promise<ClientRecord | null> {
    this.#checkOpen();
    return this.#record(clientId);
  }

  async commit(change: Commit): Promise<CommitOutcome> {
    checkCommit(change);
    const { clientId, expected, next, accepted } = change;
    const { result } = await this.#thread.submit({
      kind: "commit",
      clientId,
      generation: generationBytes(expected.generation),
      expectedEpoch: expected.epoch,
      epoch: next.epoch,
      secret: copyOf(next.secret),
      accepted: accepted === null ? null : { epoch: accepted.epoch, t: copyOf(accepted.t) },
      at: this.#now(),
    });
    if (result === "lost") return { outcome: "lost", current: this.#record(clientId) };
    this.#feed.changed(clientId);
    return { outcome: "done" };
  }

  async add(
    clients: readonly NewClient[],
    options: { readonly maxClients?: number } = {},
  ): Promise<ClientInfo[]> {
    for (const { suite, secret } of clients) checkSecret(suite, secret);
    const result = await this.#thread.submit({
      kind: "add",
      clients: clients.map(({ clientId, suite, secret, label, importCheck }) => ({
        clientId,
        suite: suite.id,
        generation: this.#drawGeneration(),
        secret: copyOf(secret),
        label: label ?? null,
        importCheck: importCheck == null ? null : copyOf(importCheck),
      })),
      maxClients: options.maxClients ?? null,
      at: this.#now(),
    });
    const infos = rowsOf(result).map(infoFromRow);
    for (const { clientId } of infos) this.#feed.changed(clientId);
    return infos;
  }

  async freeIds(count: number): Promise<ClientId[]> {
    this.#checkOpen();
    return lowestFree(this.#reader.ids(), count);
  }

  async get(clientId: ClientId): Promise<ClientInfo | null> {
    this.#checkOpen();
    return this.#reader.info(clientId);
  }

  async *list(): AsyncGenerator<ClientInfo> {
    let after = 0;
    for (;;) {
      this.#checkOpen();
      const page = this.#reader.page(after);
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.clientId;
    }
  }

  async count(): Promise<number> {
    this.#checkOpen();
    return this.#reader.count();
  }

  async revoke(clientId: ClientId, reason: string): Promise<ClientInfo> {
    const generation = this.#drawGeneration();
    return this.#change(clientId, { kind: "revoke", clientId, generation, reason, at: this.#now() });
  }

  async reissue(clientId: ClientId, secret: Uint8Array): Promise<ClientInfo> {
    this.#checkOpen();
    const client = this.#reader.info(clientId);
    if (client === null) throw new UnknownClientError(clientId);
    checkSecret(client.suite, secret);
    return this.#change(clientId, {
      kind: "reissue",
      clientId,
      generation: this.#drawGeneration(),
      secret: copyOf(secret),
    });
  }

  async remove(clientId: ClientId): Promise<void> {
    const { result } = await this.#thread.submit({ kind: "remove", clientId });
    if (result === "unknown-client") throw new UnknownClientError(clientId);
    this.#feed.changed(clientId);
  }

  async rename(clientId: ClientId, label: string | null): Promise<ClientInfo> {
    return this.#change(clientId, { kind: "rename", clientId, label });
  }

  watch(listener: (change: StoreChange) => void): () => void {
    this.#checkOpen();
    return this.#feed.watch(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#feed.close();
    await this.#thread.close();
    // The reader last: what lost a compare-and-set while the thread drained still reads the current record.
    this.#reader.close();
  }

  async #change(clientId: ClientId, operation: Operation): Promise<ClientInfo> {
    const [row] = rowsOf(await this.#thread.submit(operation));
    if (row === undefined) throw new UnknownClientError(clientId);
    this.#feed.changed(clientId);
    return infoFromRow(row);
  }

  #record(clientId: ClientId): ClientRecord | null {
    const client = this.#reader.client(clientId);
    if (client === null) return null;
    const record = recordOf(client);
    wipe(client.secret);
    return record;
  }

  #drawGeneration(): Uint8Array {
    return generationBytes(drawGeneration(this.#random));
  }

  #now(): number {
    return Math.trunc(this.#clock.now());
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new StoreError("the key store is closed");
    this.#thread.checkUsable();
  }
}

/** The rows that an operation left; none for an unknown client. @throws what it was refused with */
function rowsOf(result: OperationResult): readonly InfoRow[] {
  switch (result.result) {
    case "done":
      return result.rows;
    case "lost":
    case "unknown-client":
      return [];
    case "already-enrolled":
      throw new AlreadyEnrolledError(result.clientId);
    case "already-imported":
      throw new PskAlreadyImportedError(result.clientId);
    case "cap":
      throw new ClientCapError(result.enrolled, result.wanted, result.cap);
    default:
      return result satisfies never;
  }
}
