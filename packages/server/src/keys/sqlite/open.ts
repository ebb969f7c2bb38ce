import { wipe } from "@pawl/protocol";
import { type Clock, type Random, systemClock, systemRandom, timersBy } from "@pawl/protocol/driver";
import type { RecordSource } from "../store.ts";
import { storeClosed } from "../store-closed.ts";
import { Keyring } from "../wrapping.ts";
import { openReader } from "./connection.ts";
import { withStoreErrors } from "./driver-errors.ts";
import { prepareFile } from "./files.ts";
import { checkOpener, readIdentity } from "./identity.ts";
import { KeySource } from "./key-source.ts";
import { Reader } from "./reader.ts";
import { checkIdentity, isOfFirstSchema } from "./schema.ts";
import { SqliteKeyStore, type SqliteStore } from "./store.ts";
import { WriterThread } from "./thread.ts";

export interface SqliteStoreOptions {
  /** The database file. Its folder must be writable; `-wal` and `-shm` files appear beside it, and are part of it. */
  readonly path: string;
  /** Make the file (mode 0600) where there is none. Default: false. */
  readonly create?: boolean;
  /** Default: the system's time, with timers that do not keep the process alive. */
  readonly clock?: Clock;
  readonly random?: Random;
  /**
   * The db keys, 32 bytes each, under which secrets are wrapped: one, or several while the database moves from one to
   * the next. Asked again when the database turns out to be under a key that was not there; what it gives is overwritten
   * after use. Without it secrets are stored as they are.
   */
  readonly dbKeys?: () => Promise<readonly Uint8Array[]>;
  /** Wraps a database that has its secrets as they are, under the first db key. Default: false, which refuses it. */
  readonly encrypt?: boolean;
  /** Names the server (section 4.2). A new database gets it ("pawl" unless given), another one has to have it. */
  readonly service?: string;
  /** Who the audit log says did it. */
  readonly actor?: string;
}

/**
 * A durable key store in one SQLite file, which any number of processes on this machine share (the server and
 * `pawl keys`). An acknowledged change has been synced to disk. Writes run in a thread of their own that groups what
 * waits into one transaction; reads take microseconds on the event loop.
 *
 * A secret that was replaced is overwritten in the database (`secure_delete`) and out of the write-ahead log within
 * about a second, unless a reader of another process stands in the way. What the file system, the disk and a backup
 * still hold of it is beyond this. In memory, copies are overwritten where they are ours; SQLite's page cache and the
 * driver's copies of what is bound and read are freed as they are.
 *
 * @throws StoreError with what to do: no file, not a key database, damaged, of a newer version, readable by others,
 * not writable, disk full, a setting that is not in force.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { path, create = false, encrypt = false, service = null, actor = "library" } = options;
  const { clock = backgroundClock, random = systemRandom, dbKeys = async () => [] } = options;
  await prepareFile(path, create);
  const keys = await dbKeys();
  const thread = await WriterThread.start({ path, create, keys, encrypt, service, actor }, dbKeys);
  try {
    const reader = new Reader(await openReader(path), path, new Keyring(keys), random);
    return new SqliteKeyStore(reader, thread, clock, random, new KeySource(reader, clock, dbKeys));
  } catch (error) {
    await thread.close();
    throw error;
  } finally {
    wipe(...keys);
  }
}

/** A database that a store has open, for reading alone. @throws StoreError, as `openSqliteStore` does */
export async function openSqliteRecords(
  options: Pick<SqliteStoreOptions, "path" | "clock" | "dbKeys">,
): Promise<RecordSource> {
  const { path, clock = backgroundClock, dbKeys = async () => [] } = options;
  await prepareFile(path, false);
  const keys = await dbKeys();
  const keyring = new Keyring(keys);
  wipe(...keys);
  const db = await openReader(path);
  try {
    withStoreErrors(path, () => {
      checkIdentity(db, path, false);
      checkOpener(db, path, { keyring, service: null });
    });
    const reader = new Reader(db, path, keyring, systemRandom);
    const source = new KeySource(reader, clock, dbKeys);
    let closed = false;
    return {
      lookUp: async (clientId) => {
        if (closed) throw storeClosed();
        return source.withKeys(() => reader.record(clientId));
      },
      close: async () => {
        if (!closed) reader.close();
        closed = true;
      },
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * The id of the db key that a database is under, without opening its secrets; null: they are stored as they are.
 * @throws StoreError
 */
export async function dbKeyIdOf(path: string): Promise<string | null> {
  await prepareFile(path, false);
  const db = await openReader(path);
  try {
    return withStoreErrors(path, () => (isOfFirstSchema(db) ? null : readIdentity(db).wrap));
  } finally {
    db.close();
  }
}

/** Nobody should have to close a store only to let a process end. */
const inBackground: Clock["after"] = (ms, callback) => {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
};
const backgroundClock: Clock = {
  now: systemClock.now,
  elapsed: systemClock.elapsed,
  after: inBackground,
  timer: timersBy(inBackground),
};
