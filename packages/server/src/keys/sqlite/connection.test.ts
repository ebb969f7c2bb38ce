import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { apply, openReader, openWriter, READER_BUSY_MS, WRITER_BUSY_MS } from "./connection.ts";
import type { Database } from "./driver.ts";
import { pragma, SCHEMA_VERSION } from "./schema.ts";
import { type Folder, newFolder, plainOpener, rawConnection } from "./testing/stores.ts";

let folder: Folder;
let opened: Database[];
beforeEach(async () => {
  folder = await newFolder();
  opened = [];
});
afterEach(async () => {
  for (const db of opened) db.close();
  await folder.cleanup();
});

async function writer(): Promise<Database> {
  const db = await openWriter(folder.path, true, plainOpener());
  opened.push(db);
  return db;
}

async function reader(): Promise<Database> {
  const db = await openReader(folder.path);
  opened.push(db);
  return db;
}

const BOTH = {
  journal_mode: "wal",
  synchronous: 2,
  secure_delete: 1,
  temp_store: 2,
  foreign_keys: 1,
  trusted_schema: 0,
  cell_size_check: 1,
  fullfsync: 1,
};

describe("the settings of a connection", () => {
  it("are in force where keys are written", async () => {
    const db = await writer();
    const wanted = { ...BOTH, busy_timeout: WRITER_BUSY_MS, query_only: 0 };
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, pragma(db, name)]))).toEqual(wanted);
  });

  it("are in force where keys are read, which cannot write", async () => {
    await writer();
    const db = await reader();
    const wanted = { ...BOTH, busy_timeout: READER_BUSY_MS, query_only: 1 };
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, pragma(db, name)]))).toEqual(wanted);
    expect(() => db.exec("DELETE FROM clients")).toThrow(/readonly/);
  });

  it("are read back: one that is not in force is refused", async () => {
    const db = await writer();
    expect(() => apply(db, folder.path, [["no_such_setting", "ON", 1]])).toThrow(
      /no_such_setting is not in force/,
    );
    const memory = await rawConnection(":memory:");
    expect(() => apply(memory, ":memory:", [["journal_mode", "WAL", "wal"]])).toThrow(
      /journal_mode is not in force/,
    );
    memory.close();
  });

  it("are refused by a reader when the database is not in WAL", async () => {
    const db = await rawConnection(folder.path);
    db.exec("CREATE TABLE t (x)");
    db.close();
    await expect(openReader(folder.path)).rejects.toMatchObject({ code: "PAWL_STORE" });
  });
});

it("becomes a database of this version once, however many connections open it", async () => {
  const writers = await Promise.all(Array.from({ length: 8 }, writer));
  for (const db of writers) expect(pragma(db, "user_version")).toBe(SCHEMA_VERSION);
});

it("tells a folder that is not there", async () => {
  await expect(openWriter(`${folder.path}/none/keys.db`, true, plainOpener())).rejects.toThrow(
    /cannot be opened; check that the folder/,
  );
});
