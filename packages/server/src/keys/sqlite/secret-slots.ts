import { wipe } from "@pawl/protocol";
import type { Database } from "./driver.ts";

/**
 * Where secrets lie: in a table of slots of one size, which are overwritten where they are and never deleted, the last always
 * appended. In a table whose rows come, go and change their length SQLite moves rows between pages, and
 * `secure_delete` does not overwrite where a row was that lives on elsewhere: the copy stays readable after the secret
 * was replaced. Here no row is ever moved.
 */
export class SecretSlots {
  readonly #sql: ReturnType<typeof prepare>;

  constructor(db: Database) {
    this.#sql = prepare(db);
  }

  /** Stores a cell, which is overwritten, and returns its slot. */
  add(cell: Uint8Array): number {
    const free = this.#sql.free.get() as { readonly slot: number } | undefined;
    if (free === undefined) {
      const { lastInsertRowid } = this.#sql.append.run(cell);
      wipe(cell);
      return Number(lastInsertRowid);
    }
    this.#sql.take.run(free.slot);
    this.put(free.slot, cell);
    return free.slot;
  }

  /** Puts a cell, which is overwritten, in place of what is in a slot. */
  put(slot: number, cell: Uint8Array): void {
    this.#sql.put.run(cell, slot);
    wipe(cell);
  }

  /** Puts a cell, which is overwritten, in place of the client's own. */
  replace(clientId: number, cell: Uint8Array): void {
    this.#sql.replace.run(cell, clientId);
    wipe(cell);
  }

  /** The client is about to go: its secret is gone with this. */
  free(clientId: number): void {
    this.#sql.erase.run(clientId);
    this.#sql.give.run(clientId);
  }
}

/** Bytes of a slot: a secret or a wrapped one, with its length before it. */
const CELL_BYTES = 64;

/** As it is stored. Only a base key of classic may be longer, which is never replaced by another. */
export function cellOf(bytes: Uint8Array): Uint8Array {
  const cell = new Uint8Array(Math.max(CELL_BYTES, bytes.length + 1));
  // 0: to the end.
  cell[0] = bytes.length < CELL_BYTES ? bytes.length : 0;
  cell.set(bytes, 1);
  return cell;
}

/** The bytes of a cell, in its own memory. */
export function bytesOfCell(cell: Uint8Array): Uint8Array {
  const length = cell[0] ?? 0;
  return cell.subarray(1, length === 0 ? cell.length : 1 + length);
}

function prepare(db: Database) {
  const own = "slot = (SELECT slot FROM clients WHERE client_id = ?)";
  return {
    free: db.prepare("SELECT slot FROM free_slots ORDER BY slot LIMIT 1"),
    take: db.prepare("DELETE FROM free_slots WHERE slot = ?"),
    give: db.prepare("INSERT INTO free_slots (slot) SELECT slot FROM clients WHERE client_id = ?"),
    append: db.prepare("INSERT INTO secrets (secret) VALUES (?)"),
    put: db.prepare("UPDATE secrets SET secret = ? WHERE slot = ?"),
    replace: db.prepare(`UPDATE secrets SET secret = ? WHERE ${own}`),
    erase: db.prepare(`UPDATE secrets SET secret = zeroblob(length(secret)) WHERE ${own}`),
  };
}
