import { StoreError } from "../errors.ts";

/** The part of the API of `node:sqlite` that the store uses; both drivers have it. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface Statement {
  run(...parameters: SqlValue[]): {
    readonly changes: number | bigint;
    readonly lastInsertRowid: number | bigint;
  };
  get(...parameters: SqlValue[]): unknown;
  all(...parameters: SqlValue[]): unknown[];
}

// `close` of `@photostructure/sqlite` leaves the file open, with a shared lock on it, until its statements are collected
// as garbage, and it has no call that finalizes one; that of `node:sqlite` finalizes them first. So on Node 20 a process
// that has closed a key database may still keep `restoreSqliteStore` out for a while.

/** Bytes that are read are the reader's own copy. */
export type SqlValue = number | string | Uint8Array | null;

interface Driver {
  readonly DatabaseSync: new (path: string) => Database;
}

/**
 * `node:sqlite` where it is built in (Node 22.13 and later), else `@photostructure/sqlite`, an optional dependency
 * with the same API and the same files.
 * @throws StoreError where there is neither.
 */
export async function loadDriver(): Promise<Driver> {
  const builtIn = builtInDriver();
  if (builtIn !== undefined) return builtIn;
  try {
    return await import("@photostructure/sqlite");
  } catch (cause) {
    throw new StoreError(
      "no SQLite driver: use Node 22.13 or later, or install the optional dependency @photostructure/sqlite",
      { cause },
    );
  }
}

/** Node.js 22 warns in each thread that its SQLite is experimental: whoever runs a command is not the one to be told. */
function builtInDriver(): Driver | undefined {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:sqlite") as Driver | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Runs `action` in one transaction and returns when it is durable. `IMMEDIATE` holds the write lock from its start,
 * `DEFERRED` is for reads that have to fit together.
 */
export function inTransaction<T>(
  db: Database,
  action: () => T,
  kind: "IMMEDIATE" | "DEFERRED" = "IMMEDIATE",
): T {
  db.exec(`BEGIN ${kind}`);
  try {
    const result = action();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    try {
      db.exec("ROLLBACK");
    } catch {
      // After some errors (disk full, I/O) SQLite has rolled back by itself. The first error is the one to tell.
    }
    throw error;
  }
}
