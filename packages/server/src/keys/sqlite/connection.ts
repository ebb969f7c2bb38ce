import { StoreError } from "../errors.ts";
import { type Database, inTransaction, loadDriver } from "./driver.ts";
import { isBusy, withStoreErrors } from "./driver-errors.ts";
import { checkOpener, encryptPlain, ensureIdentity, type Opener } from "./identity.ts";
import { checkIdentity, migrate, pragma } from "./schema.ts";

/** How long a writer waits for the writer of another process, in milliseconds. */
export const WRITER_BUSY_MS = 5_000;
/** Readers hardly ever wait under WAL, and they wait on the event loop. */
export const READER_BUSY_MS = 1_000;
const EXCLUSIVE_BUSY_MS = 200;
const BUSY_PAUSE_MS = 10;

/** Settings of each connection: name, value to set, value to read back. */
type Settings = readonly (readonly [name: string, set: string, read: number | string])[];

const COMMON: Settings = [
  // An acknowledged commit has been synced; on macOS only the full kind reaches the disk.
  ["synchronous", "FULL", 2],
  ["fullfsync", "ON", 1],
  ["checkpoint_fullfsync", "ON", 1],
  // Old secrets must not linger in free pages or in temporary files.
  ["secure_delete", "ON", 1],
  ["temp_store", "MEMORY", 2],
  ["foreign_keys", "ON", 1],
  // A damaged or hostile file must not run code or be read past its cells.
  ["trusted_schema", "OFF", 0],
  ["cell_size_check", "ON", 1],
];

/**
 * The connection that writes, migrated to this version.
 * @param options `exclusive`: refuses where any other connection is open, and keeps others out
 * @throws StoreError
 */
export async function openWriter(
  path: string,
  create: boolean,
  opener: Opener,
  { exclusive = false }: { exclusive?: boolean } = {},
): Promise<Database> {
  return connect(path, (db) => {
    if (exclusive) lockOut(db, path);
    apply(db, path, [["busy_timeout", String(WRITER_BUSY_MS), WRITER_BUSY_MS]]);
    // Before anything is written: what is not ours stays as it is.
    inTransaction(db, () => checkIdentity(db, path, create), "DEFERRED");
    whileBusy(() => apply(db, path, [["journal_mode", "WAL", "wal"]]));
    apply(db, path, COMMON);
    const leftovers = inTransaction(db, () => {
      checkIdentity(db, path, create);
      const moved = migrate(db);
      // Where it cannot open the file for writing SQLite opens it for reading and says nothing, until the first write.
      db.exec("UPDATE clients SET epoch = epoch WHERE false");
      ensureIdentity(db, opener);
      if (opener.encrypt) encryptPlain(db, opener);
      checkOpener(db, path, opener);
      return moved;
    });
    if (leftovers) db.exec("VACUUM");
    const verdict = pragma(db, "quick_check(1)");
    if (verdict !== "ok") {
      throw new StoreError(
        `key database ${path} is damaged (${verdict}); stop every process that uses it and restore a backup`,
      );
    }
  });
}

/** A connection that cannot write, for a database that `openWriter` has opened. @throws StoreError */
export async function openReader(path: string): Promise<Database> {
  return connect(path, (db) => {
    apply(db, path, [["busy_timeout", String(READER_BUSY_MS), READER_BUSY_MS]]);
    apply(db, path, COMMON);
    if (pragma(db, "journal_mode") !== "wal") throw notInForce(path, "journal_mode");
    apply(db, path, [["query_only", "ON", 1]]);
  });
}

/** Sets and reads back: SQLite ignores a setting that it does not know, and that must not go unnoticed. */
export function apply(db: Database, path: string, settings: Settings): void {
  for (const [name, set, read] of settings) {
    db.exec(`PRAGMA ${name} = ${set}`);
    if (pragma(db, name) !== read) throw notInForce(path, name);
  }
}

/** Every open connection holds a shared lock on the file, also of a server that is idle; a killed process holds none. */
function lockOut(db: Database, path: string): void {
  apply(db, path, [
    ["busy_timeout", String(EXCLUSIVE_BUSY_MS), EXCLUSIVE_BUSY_MS],
    ["locking_mode", "EXCLUSIVE", "exclusive"],
  ]);
  try {
    inTransaction(db, () => {});
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new StoreError(
      `key database ${path} is in use; stop the server, and every other process that has it open, then try again`,
    );
  }
}

async function connect(path: string, prepare: (db: Database) => void): Promise<Database> {
  const { DatabaseSync } = await loadDriver();
  return withStoreErrors(path, () => {
    const db = new DatabaseSync(path);
    try {
      prepare(db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/**
 * Of several processes that turn a new database to WAL at once, SQLite refuses all but one without waiting, since they
 * hold each other up. Blocks, which only the writer's thread may.
 */
function whileBusy(action: () => void): void {
  const deadline = performance.now() + WRITER_BUSY_MS;
  for (;;) {
    try {
      action();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS);
    }
  }
}

function notInForce(path: string, name: string): StoreError {
  return new StoreError(
    `key database ${path}: the setting ${name} is not in force, so keys would not be safe; use a local file system and a SQLite that knows it`,
  );
}
