import { clientId, wipe } from "@pawl/protocol";
import { stateOf } from "../audit.ts";
import { drawGeneration, generationBytes } from "../stored-client.ts";
import { AuditLog } from "./audit-log.ts";
import type { Database } from "./driver.ts";
import { type Opener, readAuditKey, readIdentity } from "./identity.ts";
import { infoFromRow, SECRET_COLUMNS, type SecretRow } from "./rows.ts";
import { SecretColumns } from "./secret-columns.ts";
import { SecretSlots } from "./secret-slots.ts";
import { prepareWriter } from "./writer-sql.ts";

/** The database that records are put back into, within one transaction. */
export class RestoreTarget {
  readonly #db: Database;
  readonly #sql: ReturnType<typeof prepareWriter>;
  readonly #slots: SecretSlots;
  readonly #opener: Opener;
  readonly #window: number;
  readonly #columns: SecretColumns;
  readonly #wrap: string | null;
  readonly #log: AuditLog;
  readonly #auditKey: Uint8Array;

  constructor(db: Database, opener: Opener, window: number) {
    const { storeId, service, wrap } = readIdentity(db);
    this.#db = db;
    this.#sql = prepareWriter(db);
    this.#slots = new SecretSlots(db);
    this.#opener = opener;
    this.#window = window;
    this.#columns = new SecretColumns(service, opener.keyring, opener.random);
    this.#wrap = wrap;
    this.#auditKey = readAuditKey(db, opener.keyring);
    this.#log = new AuditLog(db, this.#auditKey, storeId, opener.actor);
  }

  has(id: number): boolean {
    return this.#sql.info.get(id) !== undefined;
  }

  ids(): number[] {
    const rows = this.#db.prepare("SELECT client_id FROM clients ORDER BY client_id").all();
    return (rows as { readonly client_id: number }[]).map((row) => row.client_id);
  }

  /** The record of a backup, with a new generation, the wider window, under the db key of this database. */
  put(row: SecretRow, replace: boolean): void {
    const secret = this.#columns.open(row);
    const generation = drawGeneration(this.#opener.random);
    if (replace) {
      this.#slots.free(row.client_id);
      this.#sql.remove.run(row.client_id);
    }
    const slot = this.#slots.add(this.#columns.seal(this.#wrap, row, secret));
    this.#sql.insertWhole.run(
      ...[row.client_id, row.suite, generationBytes(generation), row.epoch, slot, this.#wrap],
      ...[row.accepted_epoch, row.accepted_t, this.#window, row.label, row.created, row.moved],
      ...[row.last_seen, row.revoked_at, row.revoked_reason],
    );
    wipe(secret);
    const details = { ...stateOf(infoFromRow(row)), window: this.#window };
    const id = clientId(row.client_id);
    this.#log.append({ kind: "restored", clientId: id, generation, details }, this.#opener.now);
  }

  importCheck(value: Uint8Array, client: number, imported: number): void {
    this.#db
      .prepare("INSERT OR IGNORE INTO import_checks (check_value, client_id, imported) VALUES (?, ?, ?)")
      .run(value, client, imported);
  }

  finish(details: { restored: number; carriedOver: boolean }): void {
    this.#log.append({ kind: "restored", clientId: null, generation: null, details }, this.#opener.now);
    wipe(this.#auditKey);
  }
}

export function secretRows(db: Database): SecretRow[] {
  return db.prepare(`SELECT ${SECRET_COLUMNS} FROM clients ORDER BY client_id`).all() as SecretRow[];
}
