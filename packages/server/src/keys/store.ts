import type { ClientId, ClientRecord, Epoch, Suite } from "@pawl/protocol";
import type { Alarm, AlarmTally } from "./alarm.ts";
import type { AuditEntry } from "./audit.ts";
import type { ClientInfo, ExportedClient } from "./client-info.ts";
import type { Commit, CommitOutcome } from "./commit.ts";
import type { Verification, VerifyOptions } from "./verify.ts";

export type { ClientInfo, Commit, CommitOutcome, ExportedClient };

/**
 * The key database as the server and `pawl keys` see it (PROTOCOL.md 4.5). One interface for memory, SQLite and a
 * cluster, one conformance suite for all (`testing/conformance.ts`).
 *
 * Promises of every store:
 * - `commit` is a compare-and-set on (generation, epoch). `done` means durable. A rejected promise means that the
 *   outcome is unknown: the caller has to take it as lost.
 * - What a method returns holds its own copy of a secret; the caller overwrites it after use.
 * - Every change of generation or epoch by whomever, other processes included, is announced to `watch` within a second.
 */
export interface KeyStore {
  /** What a session needs, or null where the client is not enrolled. A revoked client is returned, marked. */
  lookUp(clientId: ClientId): Promise<ClientRecord | null>;
  commit(change: Commit): Promise<CommitOutcome>;

  /**
   * Enrols clients, all or none. @throws AlreadyEnrolledError, ClientCapError, PskAlreadyImportedError.
   * The store draws the generation.
   */
  add(clients: readonly NewClient[], options?: { readonly maxClients?: number }): Promise<ClientInfo[]>;
  /** The lowest `count` ids that are free, ascending. */
  freeIds(count: number): Promise<ClientId[]>;
  get(clientId: ClientId): Promise<ClientInfo | null>;
  /** By ascending id. Without secrets. */
  list(): AsyncIterable<ClientInfo>;
  /** Enrolled clients, revoked ones included. */
  count(): Promise<number>;
  /** Draws a new generation. @throws UnknownClientError */
  revoke(clientId: ClientId, reason: string): Promise<ClientInfo>;
  /**
   * A new secret at epoch 0, a new generation, not revoked, nothing accepted, no alarms. @throws UnknownClientError
   */
  reissue(clientId: ClientId, secret: Uint8Array, reason?: string): Promise<ClientInfo>;
  /** With its alarms; the audit log stays. @throws UnknownClientError */
  remove(clientId: ClientId, reason?: string): Promise<void>;
  /** @throws UnknownClientError */
  rename(clientId: ClientId, label: string | null): Promise<ClientInfo>;

  /** Every client with its secret, by ascending id, for a backup elsewhere; the audit log has it before the first. */
  exportClients(): AsyncIterable<ExportedClient>;
  /**
   * Enrols clients as they were exported, all or none: each with a new generation and the window of a restored record,
   * since its client may have gone on. @throws AlreadyEnrolledError, ClientCapError
   */
  importClients(
    clients: readonly ExportedClient[],
    options?: { readonly maxClients?: number },
  ): Promise<ClientInfo[]>;

  /** Adds to the tally of this client and kind; the audit log has it where it is new. An unknown client has none. */
  alarm(alarm: Alarm): Promise<void>;
  /** Since the client was enrolled or reissued, by kind. */
  alarms(clientId: ClientId): Promise<AlarmTally[]>;
  /** The clients that have any, by ascending id. */
  alarmed(): Promise<ClientId[]>;
  /** The audit log, oldest first: of one client, or behind the entry `after`. */
  log(options?: { readonly clientId?: ClientId; readonly after?: number }): AsyncIterable<AuditEntry>;
  /** Examines all that is stored: integrity, the chain of the log, every secret, every client against the log. */
  verify(options?: VerifyOptions): Promise<Verification>;
  /** A durable write that changes nothing. Rejects while commits cannot be stored. */
  probe(): Promise<void>;

  /**
   * Tells of clients whose generation, epoch or revocation changed, or that were removed. Changes by this store
   * object are told too. Returns what ends the watch.
   */
  watch(listener: (change: StoreChange) => void): () => void;
  close(): Promise<void>;
}

/** What serving connections takes of a key database. */
export type RecordStore = Pick<KeyStore, "lookUp" | "commit" | "probe">;

/** A key database that is only read: what `commit` has acknowledged, to whomever, is seen. */
export type RecordSource = Pick<KeyStore, "lookUp" | "close">;

export interface StoreChange {
  readonly clientId: ClientId;
  /** Null: removed. */
  readonly now: { readonly generation: bigint; readonly epoch: Epoch; readonly revoked: boolean } | null;
}

export interface NewClient {
  readonly clientId: ClientId;
  readonly suite: Suite;
  /** `E_0` (32 bytes); in classic the base key. Copied. */
  readonly secret: Uint8Array;
  readonly label?: string | null;
  /** Section 4.2: the check value of an imported pre-shared key, refused a second time while it is recorded. */
  readonly importCheck?: Uint8Array | null;
}
