import { type ClientId, clientId, epoch } from "@pawl/protocol";
import type { ClientInfo } from "../store.ts";
import { generationFrom, type StoredClient } from "../stored-client.ts";
import type { ClientState } from "./change-feed.ts";
import type { Database } from "./driver.ts";
import { withStoreErrors } from "./driver-errors.ts";
import {
  clientFromRow,
  INFO_COLUMNS,
  type InfoRow,
  infoFromRow,
  SECRET_COLUMNS,
  type SecretRow,
} from "./rows.ts";

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

  /** Takes over a connection of `openReader`. */
  constructor(db: Database, path: string) {
    this.#db = db;
    this.#path = path;
    this.#sql = withStoreErrors(path, () => prepare(db));
  }

  /** The secret is the caller's, to be overwritten after use. */
  client(id: ClientId): StoredClient | null {
    return this.#read(() => {
      const row = this.#sql.client.get(id) as SecretRow | undefined;
      return row === undefined ? null : clientFromRow(row);
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
  *ids(): Generator<number> {
    for (const [id] of this.states()) yield id;
  }

  state(id: ClientId): ClientState | null {
    return this.#read(() => {
      const row = this.#sql.state.get(id) as StateRow | undefined;
      return row === undefined ? null : stateOf(row);
    });
  }

  /** Of all clients, by ascending id. */
  *states(): Generator<readonly [ClientId, ClientState]> {
    let after = 0;
    for (;;) {
      const rows = this.#read(() => this.#sql.states.all(after, PAGE) as StateRow[]);
      for (const row of rows) yield [clientId(row.client_id), stateOf(row)];
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.client_id;
    }
  }

  close(): void {
    this.#db.close();
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
    client: db.prepare(`SELECT ${SECRET_COLUMNS} FROM clients WHERE client_id = ?`),
    info: db.prepare(`SELECT ${INFO_COLUMNS} FROM clients WHERE client_id = ?`),
    page: db.prepare(`SELECT ${INFO_COLUMNS} FROM clients ${paged}`),
    count: db.prepare("SELECT count(*) AS n FROM clients"),
    state: db.prepare(`${state} WHERE client_id = ?`),
    states: db.prepare(`${state} ${paged}`),
  };
}
