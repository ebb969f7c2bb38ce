import { clientId, copyOf } from "@pawl/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RecordSource } from "../store.ts";
import { commitFrom, enrol, secretOf } from "../testing/fixtures.ts";
import { dbKeyId } from "../wrapping.ts";
import { openSqliteRecords, openSqliteStore } from "./open.ts";
import type { SqliteStore } from "./store.ts";
import { type Folder, newFolder, rawConnection } from "./testing/stores.ts";

const [A, B] = [new Uint8Array(32).fill(0xaa), new Uint8Array(32).fill(0xbb)];
/** What the source of db keys gives now. */
let keys: Uint8Array[] = [];
let folder: Folder;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  folder = await newFolder();
  keys = [A];
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await folder.cleanup();
});

const options = () => ({ path: folder.path, dbKeys: async () => keys.map((key) => copyOf(key)) });

async function openStore(): Promise<SqliteStore> {
  const store = await openSqliteStore({ ...options(), create: true });
  opened.push(store);
  return store;
}

async function openRecords(): Promise<RecordSource> {
  const records = await openSqliteRecords(options());
  opened.push(records);
  return records;
}

describe("openSqliteRecords", () => {
  it("sees what a store has acknowledged, at once", async () => {
    const store = await openStore();
    const client = await enrol(store, 7);
    const records = await openRecords();
    for (let epoch = 0; epoch < 50; epoch++) {
      expect(await records.lookUp(client.clientId)).toMatchObject({ epoch, generation: client.generation });
      await store.commit(commitFrom({ ...client, epoch }));
    }
    expect(await records.lookUp(client.clientId)).toMatchObject({ epoch: 50, secret: secretOf(50) });
    await store.remove(client.clientId);
    expect(await records.lookUp(client.clientId)).toBeNull();
  });

  it("asks for the db keys again when the database has moved to another", async () => {
    const store = await openStore();
    await enrol(store, 7);
    const records = await openRecords();
    keys = [B, A];
    await store.rewrap(dbKeyId(B));
    keys = [B];
    expect((await records.lookUp(clientId(7)))?.secret).toEqual(secretOf(7));
  });

  it("refuses what it could not serve from, and says what to do", async () => {
    await expect(openRecords()).rejects.toThrow(/no key database at .*pawl init/);
    const store = await openStore();
    keys = [B];
    await expect(openRecords()).rejects.toThrow(`what was given is ${dbKeyId(B)}`);
    keys = [];
    await expect(openRecords()).rejects.toThrow(/encrypted under db key [0-9a-f]{16}, and none was given/);
    await store.close();
    const db = await rawConnection(folder.path);
    db.exec("PRAGMA user_version = 99");
    db.close();
    keys = [A];
    await expect(openRecords()).rejects.toThrow(/schema 99.*newer/);
  });

  it("refuses secrets that are stored as they are, where there is a db key", async () => {
    keys = [];
    await openStore();
    await expect(openRecords()).resolves.toBeDefined();
    keys = [A];
    await expect(openRecords()).rejects.toThrow(/not encrypted although there is a db key/);
  });

  it("may be closed again, and serves nothing behind it", async () => {
    await openStore();
    const records = await openRecords();
    await records.close();
    await records.close();
    await expect(records.lookUp(clientId(7))).rejects.toThrow("the key store is closed");
  });
});
