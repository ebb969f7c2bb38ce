import { StoreError } from "../errors.ts";
import type { Database } from "./driver.ts";

/** "Pawl", in the header of the file: tells a key database from another program's. */
export const APPLICATION_ID = 0x5061776c;

/**
 * What makes a database of version n one of version n + 1, in order. Never changed once released; a new version is a
 * new entry at the end. Those that a database lacks run in one transaction.
 *
 * - `generation`: 64 random bits in 8 big-endian bytes. SQLite's integers are signed and JavaScript's are not exact at
 *   that size; a blob compares exactly.
 * - `slot`: where the secret lies (secret-slots.ts). `wrap`: the id of the db key under which it is wrapped; null: it lies
 *   there as it is.
 * - `import_checks`: a row for each import, for ever. It outlives reissue and removal of its client, else a removed
 *   client could be enrolled once more at a secret that it already had (section 4.2).
 * - `store`: one row. `wrap` there is the db key that is written under now, `audit_wrap` that of `audit_key`. It is made
 *   by identity.ts, since a migration draws no randomness.
 * - `audit`: the chain of audit.ts; `client_id` only helps to find, the MAC covers `body`.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE clients (
     client_id      INTEGER PRIMARY KEY CHECK (client_id BETWEEN 1 AND 4294967295),
     suite          INTEGER NOT NULL CHECK (suite BETWEEN 1 AND 255),
     generation     BLOB    NOT NULL CHECK (length(generation) = 8),
     epoch          INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
     secret         BLOB    NOT NULL CHECK (length(secret) > 0),
     wrap           TEXT,
     accepted_epoch INTEGER CHECK (accepted_epoch BETWEEN 0 AND 4294967295),
     accepted_t     BLOB,
     hello_window   INTEGER NOT NULL CHECK (hello_window BETWEEN 0 AND 4294967295),
     label          TEXT,
     created        INTEGER NOT NULL,
     last_seen      INTEGER,
     revoked_at     INTEGER,
     revoked_reason TEXT,
     CHECK ((accepted_epoch IS NULL) = (accepted_t IS NULL)),
     CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
   ) STRICT;
   CREATE TABLE import_checks (
     check_value BLOB    PRIMARY KEY,
     client_id   INTEGER NOT NULL,
     imported    INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE clients ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
   UPDATE clients SET moved = coalesce(last_seen, created);
   CREATE TABLE secrets (
     slot   INTEGER PRIMARY KEY,
     secret BLOB NOT NULL CHECK (length(secret) >= 64)
   ) STRICT;
   CREATE TABLE free_slots (
     slot INTEGER PRIMARY KEY
   ) STRICT;
   ALTER TABLE clients ADD COLUMN slot INTEGER;
   UPDATE clients SET slot = (SELECT count(*) FROM clients AS others WHERE others.client_id <= clients.client_id);
   INSERT INTO secrets (slot, secret)
     SELECT slot, unhex(iif(length(secret) < 64, printf('%02x', length(secret)), '00') || hex(secret)
                        || substr(hex(zeroblob(64)), 1, 2 * max(0, 63 - length(secret)))) FROM clients ORDER BY slot;
   ALTER TABLE clients DROP COLUMN secret;
   CREATE UNIQUE INDEX client_of_slot ON clients (slot);
   CREATE TABLE store (
     one        INTEGER PRIMARY KEY CHECK (one = 1),
     store_id   BLOB    NOT NULL CHECK (length(store_id) = 16),
     service    TEXT    NOT NULL,
     wrap       TEXT,
     audit_key  BLOB    NOT NULL,
     audit_wrap TEXT,
     probes     INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE TABLE audit (
     seq       INTEGER PRIMARY KEY,
     client_id INTEGER,
     body      TEXT NOT NULL,
     mac       BLOB NOT NULL CHECK (length(mac) = 32)
   ) STRICT;
   CREATE INDEX audit_of_client ON audit (client_id) WHERE client_id IS NOT NULL;
   CREATE TABLE alarms (
     client_id      INTEGER NOT NULL,
     kind           TEXT    NOT NULL,
     count          INTEGER NOT NULL CHECK (count > 0),
     first_at       INTEGER NOT NULL,
     last_at        INTEGER NOT NULL,
     remote_address TEXT    NOT NULL,
     epoch          INTEGER NOT NULL,
     stored         INTEGER,
     logged_at      INTEGER NOT NULL,
     PRIMARY KEY (client_id, kind)
   ) STRICT, WITHOUT ROWID;`,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Refuses what this version must not touch. Called in a transaction, since others may be making it. @throws StoreError for another program's
 * database, one that a newer Pawl made, and an empty one unless it may be filled (`create`).
 */
export function checkIdentity(db: Database, path: string, create: boolean): void {
  const application = pragma(db, "application_id");
  const version = Number(pragma(db, "user_version"));
  if (application === 0 && version === 0 && isEmpty(db)) {
    if (!create) throw new StoreError(`${path} holds no key database yet; run pawl init`);
    return;
  }
  if (application !== APPLICATION_ID) {
    throw new StoreError(`${path} is a database of another program; name the key database itself`);
  }
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      `key database ${path} has schema ${version}, made by a newer Pawl; this one knows up to ${SCHEMA_VERSION}: upgrade it`,
    );
  }
}

/**
 * Brings a database that `checkIdentity` let pass to this version; both in one transaction.
 * @returns whether pages of it may still hold secrets where none is stored any more: it is to be vacuumed then
 */
export function migrate(db: Database, migrations: readonly string[] = MIGRATIONS): boolean {
  const version = Number(pragma(db, "user_version"));
  if (version >= migrations.length) return false;
  for (const step of migrations.slice(version)) db.exec(step);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length};`);
  return version === 1;
}

/** Without an identity, an audit log, db keys. */
export function isOfFirstSchema(db: Database): boolean {
  return Number(pragma(db, "user_version")) < 2;
}

/** The number or text that a pragma says. */
export function pragma(db: Database, name: string): unknown {
  const row = db.prepare(`PRAGMA ${name}`).get();
  return typeof row === "object" && row !== null ? Object.values(row)[0] : undefined;
}

function isEmpty(db: Database): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
}
