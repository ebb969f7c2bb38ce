import { type ClientId, type ClientRecord, clientId, epoch, wipe } from "@pawl/protocol";
import type { Random } from "@pawl/protocol/driver";
import { type AlarmTally, tallyOf } from "../alarm.ts";
import { type AuditEntry, entryOf } from "../audit.ts";
import type { ClientInfo } from "../store.ts";
import { generationFrom, type StoredClient } from "../stored-client.ts";
import { type Evidence, type Verification, type VerifyOptions, verify } from "../verify.ts";
import type { Keyring } from "../wrapping.ts";
import { auditRows } from "./audit-log.ts";
import type { ClientState } from "./change-feed.ts";
import { type Database, inTransaction } from "./driver.ts";
import { withStoreErrors } from "./driver-errors.ts";
import { type Identity, readAuditKey, readIdentity } from "./identity.ts";
import {
  ALARM_COLUMNS,
  type AlarmRow,
  clientFromRow,
  INFO_COLUMNS,
  type InfoRow,
  infoFromRow,
  RECORD_COLUMNS,
  type RecordRow,
  recordFromRow,
  SECRET_COLUMNS,
  type SecretRow,
  tallyFromRow,
} from "./rows.ts";
import { SecretColumns } from "./secret-columns.ts";

/** Rows read at a time: a read that stays open would keep the log from being cut. */
const PAGE = 256;

interface StateRow {
  readonly client_id: number;
  readonly generation: Uint8Array;
  readonly epoch: number;
  readonly revoked: number;
}

/**
 * What is read of a key database, by prepared statements on a connection of its own: microseconds, so on the event
 * loop. Each method throws StoreError.
 */
export class Reader {
  readonly #db: Database;
  readonly #path: string;
  readonly #sql: ReturnType<typeof prepare>;

  readonly #columns: SecretColumns;
  readonly identity: Identity;

  /** Takes over a connection of `openReader`. */
  constructor(db: Database, path: string, keyring: Keyring, random: Random) {
    this.#db = db;
    this.#path = path;
    this.#sql = withStoreErrors(path, () => prepare(db));
    this.identity = withStoreErrors(path, () => readIdentity(db));
    this.#columns = new SecretColumns(this.identity.service, keyring, random);
  }

  /** The database has moved to another db key. */
  useKeyring(keyring: Keyring): void {
    this.#columns.keyring = keyring;
  }

  /** The id of the db key that is written under now. */
  wrap(): string | null {
    return this.#read(() => readIdentity(this.#db).wrap);
  }

  /** What a session needs. The secret is the caller's, to be overwritten after use. */
  record(id: ClientId): ClientRecord | null {
    return this.#read(() => {
      const row = this.#sql.record.get(id) as RecordRow | undefined;
      if (row !== undefined) return recordFromRow(row, this.#columns);
      this.#readDecoy();
      return null;
    });
  }

  /** As much work as a client makes that there is, so that time does not tell who is enrolled. */
  #readDecoy(): void {
    const row = this.#sql.decoy.get() as RecordRow | undefined;
    if (row === undefined) return;
    try {
      wipe(recordFromRow(row, this.#columns).secret);
    } catch {
      // What is wrong with that row is said when its own client is looked up.
    }
  }

  /** All of a client. The secret is the caller's, to be overwritten after use. */
  client(id: ClientId): StoredClient | null {
    return this.#read(() => {
      const row = this.#sql.client.get(id) as SecretRow | undefined;
      return row === undefined ? null : clientFromRow(row, this.#columns);
    });
  }

  info(id: ClientId): ClientInfo | null {
    return this.#read(() => {
      const row = this.#sql.info.get(id) as InfoRow | undefined;
      return row === undefined ? null : infoFromRow(row);
    });
  }

  /** Up to `PAGE` clients above `after`, by ascending id. Empty: there are no more. */
  page(after: number): ClientInfo[] {
    return this.#read(() => (this.#sql.page.all(after, PAGE) as InfoRow[]).map(infoFromRow));
  }

  count(): number {
    return this.#read(() => (this.#sql.count.get() as { readonly n: number }).n);
  }

  /** By ascending id. */
  *ids(): Generator<ClientId> {
    for (const page of this.statePages()) for (const [id] of page) yield id;
  }

  state(id: ClientId): ClientState | null {
    return this.#read(() => {
      const row = this.#sql.state.get(id) as StateRow | undefined;
      return row === undefined ? null : stateOf(row);
    });
  }

  /** Of all clients, by ascending id. */
  *statePages(): Generator<(readonly [ClientId, ClientState])[]> {
    let after = 0;
    for (;;) {
      const rows = this.#read(() => this.#sql.states.all(after, PAGE) as StateRow[]);
      const last = rows.at(-1);
      if (last === undefined) return;
      yield rows.map((row) => [clientId(row.client_id), stateOf(row)]);
      after = last.client_id;
    }
  }

  alarms(id: ClientId): AlarmTally[] {
    return this.#read(() =>
      (this.#sql.alarms.all(id) as AlarmRow[]).flatMap((row) => {
        const tally = tallyFromRow(row);
        return tally === null ? [] : [tallyOf(tally)];
      }),
    );
  }

  alarmed(): ClientId[] {
    return this.#read(() =>
      (this.#sql.alarmed.all() as { readonly client_id: number }[]).map((row) => clientId(row.client_id)),
    );
  }

  /** A page at a time: a read that stays open would keep the log from being cut. */
  *log(after: number, id: ClientId | null): Generator<AuditEntry> {
    const rows = this.#read(() => auditRows(this.#db, after, id));
    for (;;) {
      const next = this.#read(() => rows.next());
      if (next.done === true) return;
      yield entryOf(next.value);
    }
  }

  /** All of one moment. The keyring opens the audit log too. */
  verify(options: VerifyOptions): Verification {
    return this.#read(() =>
      inTransaction(
        this.#db,
        () => {
          const auditKey = readAuditKey(this.#db, this.#columns.keyring);
          try {
            return verify(this.#evidence(auditKey), options);
          } finally {
            wipe(auditKey);
          }
        },
        "DEFERRED",
      ),
    );
  }

  close(): void {
    this.#db.close();
  }

  #evidence(auditKey: Uint8Array): Evidence {
    return {
      storeId: this.identity.storeId,
      auditKey,
      rows: () => auditRows(this.#db, 0, null),
      ids: () => this.ids(),
      client: (id) => this.client(id),
      integrity: () =>
        (this.#db.prepare("PRAGMA integrity_check(100)").all() as { readonly integrity_check: string }[])
          .map((row) => row.integrity_check)
          .filter((line) => line !== "ok"),
    };
  }

  #read<T>(action: () => T): T {
    return withStoreErrors(this.#path, action);
  }
}

function stateOf(row: StateRow): ClientState {
  return { generation: generationFrom(row.generation), epoch: epoch(row.epoch), revoked: row.revoked === 1 };
}

function prepare(db: Database) {
  const state = "SELECT client_id, generation, epoch, revoked_at IS NOT NULL AS revoked FROM clients";
  const paged = "WHERE client_id > ? ORDER BY client_id LIMIT ?";
  return {
    record: db.prepare(`SELECT ${RECORD_COLUMNS} FROM clients WHERE client_id = ?`),
    decoy: db.prepare(`SELECT ${RECORD_COLUMNS} FROM clients ORDER BY client_id LIMIT 1`),
    client: db.prepare(`SELECT ${SECRET_COLUMNS} FROM clients WHERE client_id = ?`),
    info: db.prepare(`SELECT ${INFO_COLUMNS} FROM clients WHERE client_id = ?`),
    page: db.prepare(`SELECT ${INFO_COLUMNS} FROM clients ${paged}`),
    count: db.prepare("SELECT count(*) AS n FROM clients"),
    state: db.prepare(`${state} WHERE client_id = ?`),
    states: db.prepare(`${state} ${paged}`),
    alarmed: db.prepare("SELECT DISTINCT client_id FROM alarms ORDER BY client_id"),
    alarms: db.prepare(`SELECT ${ALARM_COLUMNS} FROM alarms WHERE client_id = ? ORDER BY kind`),
  };
}
