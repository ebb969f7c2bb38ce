import { basename } from "node:path";
import { type ClientId, type ClientRecord, copyOf, wipe } from "@pawl/protocol";
import type { Clock, Random } from "@pawl/protocol/driver";
import type { Alarm, AlarmTally } from "../alarm.ts";
import type { AuditDetails, AuditEntry, AuditKind } from "../audit.ts";
import { checkCommit } from "../commit.ts";
import {
  AlreadyEnrolledError,
  ClientCapError,
  PskAlreadyImportedError,
  UnknownClientError,
} from "../errors.ts";
import { commitOperation } from "../packed-commits.ts";
import type {
  ClientInfo,
  Commit,
  CommitOutcome,
  ExportedClient,
  KeyStore,
  NewClient,
  StoreChange,
} from "../store.ts";
import { storeClosed } from "../store-closed.ts";
import { checkSecret, drawGeneration, exportOf, generationBytes, lowestFree } from "../stored-client.ts";
import type { Verification, VerifyOptions } from "../verify.ts";
import { ChangeFeed } from "./change-feed.ts";
import { makeDurableFile } from "./files.ts";
import type { KeySource } from "./key-source.ts";
import type { Operation, OperationResult } from "./messages.ts";
import type { Reader } from "./reader.ts";
import { type InfoRow, infoFromRow } from "./rows.ts";
import type { WriterStats, WriterThread } from "./thread.ts";

export type SqliteStoreStats = WriterStats;

export interface SqliteStore extends KeyStore {
  /** Since it was opened: how many operations shared a transaction. */
  readonly stats: SqliteStoreStats;
  /** Names the server (section 4.2). */
  readonly service: string;
  /** The id of the db key that secrets are wrapped under now; null: they are stored as they are. */
  readonly dbKeyId: string | null;
  /**
   * Moves every secret to the db key of that id, while others use the database. May be called again where it was
   * interrupted. @throws MissingDbKeyError where `dbKeys` does not have it
   */
  rewrap(to: string, onProgress?: (done: number, of: number) => void): Promise<void>;
  /**
   * A consistent copy of the database, as a new file (mode 0600) that is durable when this resolves. Its secrets are
   * wrapped as they are here. @throws StoreError
   */
  backup(path: string): Promise<void>;
}

/** Secrets that are moved to another db key in one transaction. */
const REWRAP_PAGE = 256;

/** As `openSqliteStore` makes it. */
export class SqliteKeyStore implements SqliteStore {
  readonly #reader: Reader;
  readonly #thread: WriterThread;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #feed: ChangeFeed;
  readonly #keySource: KeySource;
  #closing: Promise<void> | null = null;

  constructor(reader: Reader, thread: WriterThread, clock: Clock, random: Random, keySource: KeySource) {
    this.#reader = reader;
    this.#thread = thread;
    this.#clock = clock;
    this.#random = random;
    this.#keySource = keySource;
    const version = () => thread.version();
    this.#feed = new ChangeFeed(
      { pages: () => reader.statePages(), one: (id) => reader.state(id), version },
      clock,
    );
  }

  get stats(): SqliteStoreStats {
    return this.#thread.stats;
  }

  get service(): string {
    return this.#reader.identity.service;
  }

  get dbKeyId(): string | null {
    return this.#reader.wrap();
  }

  async lookUp(clientId: ClientId): Promise<ClientRecord | null> {
    this.#checkOpen();
    return this.#keySource.withKeys(() => this.#reader.record(clientId));
  }

  async commit(change: Commit): Promise<CommitOutcome> {
    checkCommit(change);
    const { clientId, expected, next } = change;
    const { result } = await this.#thread.submit(commitOperation(change, this.#now()));
    if (result === "lost") {
      return {
        outcome: "lost",
        current: await this.#keySource.withKeys(() => this.#reader.record(clientId)),
      };
    }
    const { generation, epoch } = expected;
    this.#feed.moved(clientId, { generation, epoch, revoked: false }, next.epoch);
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

  async *exportClients(): AsyncGenerator<ExportedClient> {
    this.#checkOpen();
    await this.#note("exported", { clients: this.#reader.count() });
    for (const id of this.#reader.ids()) {
      this.#checkOpen();
      const client = await this.#keySource.withKeys(() => this.#reader.client(id));
      if (client === null) continue;
      const exported = exportOf(client);
      wipe(client.secret);
      yield exported;
    }
  }

  async importClients(
    clients: readonly ExportedClient[],
    options: { readonly maxClients?: number } = {},
  ): Promise<ClientInfo[]> {
    for (const { suite, secret } of clients) checkSecret(suite, secret);
    const result = await this.#thread.submit({
      kind: "import",
      clients: clients.map(({ suite, secret, accepted, ...more }) => ({
        ...more,
        suite: suite.id,
        secret: copyOf(secret),
        accepted: accepted === null ? null : { epoch: accepted.epoch, t: copyOf(accepted.t) },
        generation: this.#drawGeneration(),
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

  async reissue(clientId: ClientId, secret: Uint8Array, reason?: string): Promise<ClientInfo> {
    this.#checkOpen();
    const client = this.#reader.info(clientId);
    if (client === null) throw new UnknownClientError(clientId);
    checkSecret(client.suite, secret);
    return this.#change(clientId, {
      kind: "reissue",
      clientId,
      generation: this.#drawGeneration(),
      secret: copyOf(secret),
      reason: reason ?? null,
      at: this.#now(),
    });
  }

  async remove(clientId: ClientId, reason?: string): Promise<void> {
    const { result } = await this.#thread.submit({
      kind: "remove",
      clientId,
      reason: reason ?? null,
      at: this.#now(),
    });
    if (result === "unknown-client") throw new UnknownClientError(clientId);
    this.#feed.changed(clientId);
  }

  async rename(clientId: ClientId, label: string | null): Promise<ClientInfo> {
    return this.#change(clientId, { kind: "rename", clientId, label, at: this.#now() });
  }

  async alarm(alarm: Alarm): Promise<void> {
    await this.#thread.submit({ kind: "alarm", alarm });
  }

  async alarms(clientId: ClientId): Promise<AlarmTally[]> {
    this.#checkOpen();
    return this.#reader.alarms(clientId);
  }

  async alarmed(): Promise<ClientId[]> {
    this.#checkOpen();
    return this.#reader.alarmed();
  }

  async *log(
    options: { readonly clientId?: ClientId; readonly after?: number } = {},
  ): AsyncGenerator<AuditEntry> {
    this.#checkOpen();
    yield* this.#reader.log(options.after ?? 0, options.clientId ?? null);
  }

  async verify(options: VerifyOptions = {}): Promise<Verification> {
    this.#checkOpen();
    return this.#keySource.withKeys(() => this.#reader.verify(options));
  }

  async probe(): Promise<void> {
    await this.#thread.submit({ kind: "probe" });
  }

  async rewrap(to: string, onProgress?: (done: number, of: number) => void): Promise<void> {
    this.#checkOpen();
    await this.#keySource.reload();
    if (this.dbKeyId !== to) await this.#thread.submit({ kind: "use-key", to, at: this.#now() });
    const clients = this.#reader.count();
    for (let done = 0; ; ) {
      const result = await this.#thread.submit({ kind: "rewrap", to, limit: REWRAP_PAGE });
      if (result.result !== "rewrapped" || result.rows === 0) break;
      done += result.rows;
      onProgress?.(Math.min(done, clients), clients);
    }
    // Those that others wrote meanwhile are under it already.
    onProgress?.(clients, clients);
  }

  async backup(path: string): Promise<void> {
    this.#checkOpen();
    await makeDurableFile(path, (part) => this.#thread.copyTo(part));
    await this.#note("backed-up", { file: basename(path) });
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

  async #note(event: AuditKind, details: AuditDetails): Promise<void> {
    await this.#thread.submit({ kind: "note", event, details, at: this.#now() });
  }

  async #change(clientId: ClientId, operation: Operation): Promise<ClientInfo> {
    const [row] = rowsOf(await this.#thread.submit(operation));
    if (row === undefined) throw new UnknownClientError(clientId);
    this.#feed.changed(clientId);
    return infoFromRow(row);
  }

  #drawGeneration(): Uint8Array {
    return generationBytes(drawGeneration(this.#random));
  }

  #now(): number {
    return Math.trunc(this.#clock.now());
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw storeClosed();
    this.#thread.checkUsable();
  }
}

/** The rows that an operation left; none for an unknown client. @throws what it was refused with */
function rowsOf(result: OperationResult): readonly InfoRow[] {
  switch (result.result) {
    case "done":
      return result.rows;
    case "lost":
    case "rewrapped":
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
