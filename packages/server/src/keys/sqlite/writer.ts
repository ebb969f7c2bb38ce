import { DEFAULT_WINDOW, wipe } from "@pawl/protocol";
import { apply, WRITER_BUSY_MS } from "./connection.ts";
import { type Database, inTransaction, type Statement } from "./driver.ts";
import { withStoreErrors } from "./driver-errors.ts";
import {
  type AddOperation,
  type CommitOperation,
  type Operation,
  type OperationResult,
  secretsOf,
} from "./messages.ts";
import { INFO_COLUMNS, type InfoRow } from "./rows.ts";
import { pragma } from "./schema.ts";

/** A checkpoint gives up at once rather than keep commits waiting for a reader; it is tried again. */
const CHECKPOINT_BUSY_MS = 50;

/** All that is ever written to a key database. Synchronous: it lives in a thread of its own. */
export class Writer {
  readonly #db: Database;
  readonly #path: string;
  readonly #sql: ReturnType<typeof prepare>;

  /** Takes over a connection of `openWriter`. */
  constructor(db: Database, path: string) {
    this.#db = db;
    this.#path = path;
    this.#sql = withStoreErrors(path, () => prepare(db));
  }

  /**
   * Carries out all of `operations` in one transaction and returns when it is durable, so that they share one sync.
   * Overwrites their secrets. @throws StoreError: unless COMMIT itself failed, nothing was written.
   */
  write(operations: readonly Operation[]): OperationResult[] {
    try {
      return withStoreErrors(this.#path, () =>
        inTransaction(this.#db, () => operations.map((one) => this.#apply(one))),
      );
    } finally {
      for (const operation of operations) wipe(...secretsOf(operation));
    }
  }

  /** A number that changes when another connection has written. @throws StoreError */
  version(): number {
    return withStoreErrors(this.#path, () => Number(pragma(this.#db, "data_version")));
  }

  /**
   * Moves the log into the database and cuts it, since it still holds the secrets that were replaced. False: a reader
   * was in the way, try again later. @throws StoreError
   */
  checkpoint(): boolean {
    return withStoreErrors(this.#path, () => {
      this.#setBusyTimeout(CHECKPOINT_BUSY_MS);
      try {
        return pragma(this.#db, "wal_checkpoint(TRUNCATE)") === 0;
      } finally {
        this.#setBusyTimeout(WRITER_BUSY_MS);
      }
    });
  }

  close(): void {
    this.#db.close();
  }

  #apply(operation: Operation): OperationResult {
    switch (operation.kind) {
      case "commit":
        return this.#commit(operation);
      case "add":
        return this.#add(operation);
      case "revoke": {
        const { clientId, generation, reason, at } = operation;
        return this.#changed(clientId, this.#sql.revoke.run(generation, at, reason, clientId));
      }
      case "reissue": {
        const { clientId, generation, secret } = operation;
        return this.#changed(clientId, this.#sql.reissue.run(generation, secret, DEFAULT_WINDOW, clientId));
      }
      case "remove":
        return isOne(this.#sql.remove.run(operation.clientId)) ? done() : { result: "unknown-client" };
      case "rename":
        return this.#changed(operation.clientId, this.#sql.rename.run(operation.label, operation.clientId));
      default:
        return operation satisfies never;
    }
  }

  /** The compare-and-set of section 4.5.4. */
  #commit(operation: CommitOperation): OperationResult {
    const { clientId, generation, expectedEpoch, epoch, secret, accepted, at } = operation;
    const changes =
      accepted === null
        ? this.#sql.catchUp.run(epoch, secret, clientId, generation, expectedEpoch)
        : this.#sql.firstPacket.run(
            epoch,
            secret,
            accepted.epoch,
            accepted.t,
            at,
            DEFAULT_WINDOW,
            clientId,
            generation,
            expectedEpoch,
          );
    return isOne(changes) ? done() : { result: "lost" };
  }

  /** Checks all before it writes any: the other operations of the transaction must stand. */
  #add({ clients, maxClients, at }: AddOperation): OperationResult {
    const seen = new Set<number>();
    for (const { clientId } of clients) {
      if (seen.has(clientId) || this.#info(clientId) !== undefined)
        return { result: "already-enrolled", clientId };
      seen.add(clientId);
    }
    const imports = new Set<string>();
    for (const { clientId, importCheck } of clients) {
      if (importCheck === null) continue;
      const key = importCheck.toString();
      if (imports.has(key) || this.#sql.imported.get(importCheck) !== undefined) {
        return { result: "already-imported", clientId };
      }
      imports.add(key);
    }
    if (maxClients !== null && clients.length > 0) {
      const enrolled = Number(Object.values(this.#sql.count.get() as object)[0]);
      const wanted = clients.length;
      if (enrolled + wanted > maxClients) return { result: "cap", enrolled, wanted, cap: maxClients };
    }
    for (const { clientId, suite, generation, secret, label, importCheck } of clients) {
      this.#sql.insert.run(clientId, suite, generation, secret, DEFAULT_WINDOW, label, at);
      if (importCheck !== null) this.#sql.import.run(importCheck, clientId, at);
    }
    return done(clients.flatMap(({ clientId }) => this.#info(clientId) ?? []));
  }

  #changed(clientId: number, changes: Changes): OperationResult {
    const row = isOne(changes) ? this.#info(clientId) : undefined;
    return row === undefined ? { result: "unknown-client" } : done([row]);
  }

  #info(clientId: number): InfoRow | undefined {
    const row = this.#sql.info.get(clientId) as InfoRow | undefined;
    // The driver's rows have no prototype.
    return row === undefined ? undefined : { ...row };
  }

  #setBusyTimeout(ms: number): void {
    apply(this.#db, this.#path, [["busy_timeout", String(ms), ms]]);
  }
}

type Changes = ReturnType<Statement["run"]>;

function isOne({ changes }: Changes): boolean {
  return Number(changes) === 1;
}

function done(rows: readonly InfoRow[] = []): OperationResult {
  return { result: "done", rows };
}

function prepare(db: Database) {
  const compare = "client_id = ? AND generation = ? AND epoch = ? AND revoked_at IS NULL";
  return {
    catchUp: db.prepare(`UPDATE clients SET epoch = ?, secret = ?, wrap = NULL WHERE ${compare}`),
    firstPacket: db.prepare(
      `UPDATE clients SET epoch = ?, secret = ?, wrap = NULL, accepted_epoch = ?, accepted_t = ?, last_seen = ?,
         hello_window = ? WHERE ${compare}`,
    ),
    insert: db.prepare(
      `INSERT INTO clients (client_id, suite, generation, epoch, secret, hello_window, label, created)
         VALUES (?, ?, ?, 0, ?, ?, ?, ?)`,
    ),
    import: db.prepare("INSERT INTO import_checks (check_value, client_id, imported) VALUES (?, ?, ?)"),
    imported: db.prepare("SELECT 1 FROM import_checks WHERE check_value = ?"),
    count: db.prepare("SELECT count(*) FROM clients"),
    info: db.prepare(`SELECT ${INFO_COLUMNS} FROM clients WHERE client_id = ?`),
    revoke: db.prepare(
      `UPDATE clients SET generation = ?, revoked_at = ?, revoked_reason = ?, accepted_epoch = NULL, accepted_t = NULL
         WHERE client_id = ?`,
    ),
    reissue: db.prepare(
      `UPDATE clients SET generation = ?, epoch = 0, secret = ?, wrap = NULL, hello_window = ?, accepted_epoch = NULL,
         accepted_t = NULL, revoked_at = NULL, revoked_reason = NULL WHERE client_id = ?`,
    ),
    remove: db.prepare("DELETE FROM clients WHERE client_id = ?"),
    rename: db.prepare("UPDATE clients SET label = ? WHERE client_id = ?"),
  };
}
