import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Database, inTransaction } from "./driver.ts";
import { APPLICATION_ID, checkIdentity, MIGRATIONS, migrate, pragma, SCHEMA_VERSION } from "./schema.ts";
import { rawConnection } from "./testing/stores.ts";

let db: Database;
beforeEach(async () => {
  db = await rawConnection(":memory:");
});
afterEach(() => {
  db.close();
});

describe("migrate", () => {
  it("makes an empty database one of this version, once", () => {
    migrate(db);
    migrate(db);
    expect(pragma(db, "user_version")).toBe(SCHEMA_VERSION);
    expect(pragma(db, "application_id")).toBe(APPLICATION_ID);
    expect(() => checkIdentity(db, "keys.db", false)).not.toThrow();
  });

  it("takes only the steps that are new", () => {
    migrate(db);
    const later = [...MIGRATIONS, "ALTER TABLE clients ADD COLUMN service TEXT"];
    migrate(db, later);
    migrate(db, later);
    expect(pragma(db, "user_version")).toBe(later.length);
    expect(() => db.prepare("SELECT service FROM clients").all()).not.toThrow();
    expect(() => checkIdentity(db, "keys.db", false)).toThrow(/newer Pawl.*upgrade/);
  });

  it("leaves all as it was when a step fails", () => {
    migrate(db);
    const failing = [...MIGRATIONS, "CREATE TABLE later (x); SELECT nonsense"];
    expect(() => inTransaction(db, () => migrate(db, failing))).toThrow(/nonsense/);
    expect(pragma(db, "user_version")).toBe(SCHEMA_VERSION);
    expect(() => db.prepare("SELECT * FROM later")).toThrow(/no such table/);
  });
});

describe("the schema", () => {
  const insert = (values: string) => () =>
    db.exec(
      `INSERT INTO clients (client_id, suite, generation, epoch, slot, hello_window, created) VALUES (${values})`,
    );

  it("keeps nothing that the specification does not have", () => {
    migrate(db);
    insert("1, 2, x'0102030405060708', 0, 1, 64, 0")();
    for (const wrong of [
      "0, 2, x'0102030405060708', 0, 2, 64, 0",
      "4294967296, 2, x'0102030405060708', 0, 2, 64, 0",
      "2, 0, x'0102030405060708', 0, 2, 64, 0",
      "2, 2, x'01020304050607', 0, 2, 64, 0",
      "2, 2, 72623859790382856, 0, 2, 64, 0",
      "2, 2, x'0102030405060708', -1, 2, 64, 0",
      "2, 2, x'0102030405060708', 4294967296, 2, 64, 0",
      "2, 2, x'0102030405060708', 0, 2, 64, 'today'",
    ]) {
      expect(insert(wrong), wrong).toThrow();
    }
    expect(() => db.exec("INSERT INTO secrets (secret) VALUES (x'00')")).toThrow(/CHECK/);
    for (const half of [
      "accepted_epoch = 1",
      "accepted_t = x'00'",
      "revoked_at = 1",
      "revoked_reason = 'x'",
    ]) {
      expect(() => db.exec(`UPDATE clients SET ${half}`), half).toThrow(/CHECK/);
    }
  });
});

describe("checkIdentity", () => {
  it("lets an empty database pass only where one may be made", () => {
    expect(() => checkIdentity(db, "keys.db", true)).not.toThrow();
    expect(() => checkIdentity(db, "keys.db", false)).toThrow(/pawl init/);
  });

  it("refuses another program's database, one without marks too", () => {
    db.exec("CREATE TABLE notes (x)");
    expect(() => checkIdentity(db, "keys.db", true)).toThrow(/another program/);
    db.exec("PRAGMA application_id = 17");
    expect(() => checkIdentity(db, "keys.db", true)).toThrow(/another program/);
  });
});

describe("inTransaction", () => {
  it("undoes all when the action throws, even when SQLite has rolled back by itself", () => {
    db.exec("CREATE TABLE t (x INTEGER PRIMARY KEY)");
    const fail = (sql: string) => () => inTransaction(db, () => db.exec(`INSERT INTO t VALUES (1); ${sql}`));
    expect(fail("SELECT nonsense")).toThrow(/nonsense/);
    expect(fail("INSERT OR ROLLBACK INTO t VALUES (1)")).toThrow(/UNIQUE/);
    expect(db.prepare("SELECT * FROM t").all()).toEqual([]);
    expect(inTransaction(db, () => 5)).toBe(5);
  });
});
