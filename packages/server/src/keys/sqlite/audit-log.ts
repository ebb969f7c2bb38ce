import { type AuditEvent, type AuditHead, type AuditRow, chainStart, nextRow } from "../audit.ts";
import type { Database } from "./driver.ts";

/** The chain in the table `audit`, as whoever writes to the database continues it. Used within transactions alone. */
export class AuditLog {
  readonly #key: Uint8Array;
  readonly #storeId: Uint8Array;
  readonly #actor: string;
  readonly #sql: ReturnType<typeof prepare>;
  /** Where the chain ends, within one transaction: others may continue it between two. */
  #head: AuditHead | null = null;

  constructor(db: Database, key: Uint8Array, storeId: Uint8Array, actor: string) {
    this.#key = key;
    this.#storeId = storeId;
    this.#actor = actor;
    this.#sql = prepare(db);
  }

  /** A transaction begins. */
  begin(): void {
    this.#head = null;
  }

  append(event: AuditEvent, at: number): void {
    this.#head ??= (this.#sql.head.get() as AuditHead | undefined) ?? chainStart(this.#storeId);
    const row = nextRow(this.#key, this.#head, event, at, this.#actor);
    this.#sql.append.run(row.seq, event.clientId, row.body, row.mac);
    this.#head = row;
  }
}

const PAGE = 256;

/** Rows of the log behind `after`, of one client where it is given, oldest first. */
export function* auditRows(db: Database, after: number, clientId: number | null): Generator<AuditRow> {
  const which = clientId === null ? "" : "AND client_id = ?";
  const page = db.prepare(
    `SELECT seq, body, mac FROM audit WHERE seq > ? ${which} ORDER BY seq LIMIT ${PAGE}`,
  );
  for (let at = after; ; ) {
    const rows = (clientId === null ? page.all(at) : page.all(at, clientId)) as AuditRow[];
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    at = last.seq;
  }
}

function prepare(db: Database) {
  return {
    head: db.prepare("SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1"),
    append: db.prepare("INSERT INTO audit (seq, client_id, body, mac) VALUES (?, ?, ?, ?)"),
  };
}
