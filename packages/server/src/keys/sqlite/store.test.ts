import { once } from "node:events";
import { chmod, open, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Worker } from "node:worker_threads";
import { systemRandom } from "@pawl/protocol/driver";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeClock } from "../../testing/fake-clock.ts";
import { storeConformance } from "../testing/conformance.ts";
import { commitFrom, enrol, newClient, secretOf } from "../testing/fixtures.ts";
import { Keyring } from "../wrapping.ts";
import { openReader } from "./connection.ts";
import { KeySource } from "./key-source.ts";
import { openSqliteStore } from "./open.ts";
import { Reader } from "./reader.ts";
import { spawnWriter } from "./spawn.ts";
import { SqliteKeyStore } from "./store.ts";
import {
  type Folder,
  newFolder,
  plainWriterData,
  rawConnection,
  sqliteStoreUnderTest,
} from "./testing/stores.ts";
import { WriterThread } from "./thread.ts";

storeConformance("SQLite store", () => sqliteStoreUnderTest(null));
storeConformance("SQLite store under a db key", () => sqliteStoreUnderTest(new Uint8Array(32).fill(0xdb)));

describe("SQLite store", () => {
  let folder: Folder;
  beforeEach(async () => {
    folder = await newFolder();
  });
  afterEach(async () => {
    await folder.cleanup();
  });

  it("groups commits that wait into few transactions", async () => {
    const store = await openSqliteStore({ path: folder.path, create: true });
    const clients = await store.add(Array.from({ length: 100 }, (_, n) => newClient(n + 1)));
    const before = store.stats;
    const commits = clients.flatMap((client) =>
      Array.from({ length: 10 }, (_, at) => store.commit(commitFrom({ ...client, epoch: at }))),
    );
    for (const { outcome } of await Promise.all(commits)) expect(outcome).toBe("done");
    expect(store.stats.operations - before.operations).toBe(1_000);
    expect(store.stats.transactions - before.transactions).toBeLessThanOrEqual(4);
    expect(store.stats.largestBatch).toBeGreaterThanOrEqual(250);
    await store.close();
  });

  it("makes its files for the owner alone", async () => {
    const store = await openSqliteStore({ path: folder.path, create: true });
    await enrol(store, 7);
    for (const file of [folder.path, `${folder.path}-wal`, `${folder.path}-shm`]) {
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    }
    await store.close();
  });

  it("has replaced secrets out of its files within about a second, without being closed", async () => {
    const store = await openSqliteStore({ path: folder.path, create: true });
    const [old, now] = [systemRandom(32), systemRandom(32)];
    const client = await enrol(store, 7, { secret: old });
    expect(await filesHold(folder.path, old)).toBe(true);
    await store.commit(commitFrom(client, { secret: now }));
    await vi.waitFor(async () => expect(await filesHold(folder.path, old)).toBe(false), {
      timeout: 15_000,
      interval: 100,
    });
    expect(await filesHold(folder.path, now)).toBe(true);
    await store.remove(client.clientId);
    await store.close();
    expect(await filesHold(folder.path, now)).toBe(false);
  });

  it("cuts the log that an earlier process left when it opens", async () => {
    const old = systemRandom(32);
    await created(folder.path);
    const { thread: first, worker } = await startThread(folder.path);
    const clients = [
      {
        ...newClient(7),
        suite: 2 as const,
        generation: new Uint8Array(8),
        secret: old.slice(),
        label: null,
        importCheck: null,
      },
    ];
    await first.submit({ kind: "add", clients, maxClients: null, at: 0 });
    await first.submit({
      kind: "reissue",
      clientId: newClient(7).clientId,
      generation: new Uint8Array(8),
      secret: secretOf(1),
      reason: null,
      at: 0,
    });
    // Whoever closes the last connection empties the log; this one stays, as a killed process leaves it.
    const beside = await rawConnection(folder.path);
    beside.prepare("SELECT count(*) FROM clients").get();
    await worker.terminate();
    expect(await filesHold(folder.path, old)).toBe(true);
    const second = await openSqliteStore({ path: folder.path });
    expect(await filesHold(folder.path, old)).toBe(false);
    beside.close();
    expect((await second.lookUp(newClient(7).clientId))?.secret).toEqual(secretOf(1));
    await second.close();
  });

  it("rejects what waits and all that comes later when its thread has died", async () => {
    await created(folder.path);
    const { thread, worker } = await startThread(folder.path);
    const reader = new Reader(await openReader(folder.path), folder.path, new Keyring([]), systemRandom);
    const clock = new FakeClock();
    const store = new SqliteKeyStore(
      reader,
      thread,
      clock,
      systemRandom,
      new KeySource(reader, clock, async () => []),
    );
    const client = await enrol(store, 7);
    const commit = store.commit(commitFrom(client)).catch((error: unknown) => error);
    await Promise.resolve();
    await worker.terminate();
    expect(await commit).toMatchObject({ code: "PAWL_STORE", message: expect.stringContaining("restart") });
    for (const call of [
      () => store.lookUp(client.clientId),
      () => store.commit(commitFrom(client)),
      () => store.count(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "PAWL_STORE" });
    }
    await store.close();
  });

  it("goes on after a transaction that failed", async () => {
    const store = await openSqliteStore({ path: folder.path, create: true });
    const client = await enrol(store, 7);
    const db = await rawConnection(folder.path);
    db.exec("CREATE TRIGGER full BEFORE UPDATE ON clients BEGIN SELECT RAISE(ABORT, 'no space'); END");
    await expect(store.commit(commitFrom(client))).rejects.toMatchObject({ code: "PAWL_STORE" });
    db.exec("DROP TRIGGER full");
    db.close();
    expect(await store.commit(commitFrom(client))).toEqual({ outcome: "done" });
    await store.close();
  });

  it("refuses a secret that it cannot unwrap, and a suite that it does not know", async () => {
    const store = await openSqliteStore({ path: folder.path, create: true });
    const { clientId } = await enrol(store, 7);
    const db = await rawConnection(folder.path);
    db.exec("UPDATE clients SET wrap = '0011223344556677'");
    await expect(store.lookUp(clientId)).rejects.toMatchObject({
      code: "PAWL_STORE",
      message: expect.stringContaining("encrypted under db key 0011223344556677"),
    });
    db.exec("UPDATE clients SET suite = 9");
    await expect(store.get(clientId)).rejects.toMatchObject({ message: expect.stringContaining("suite 9") });
    db.close();
    await store.close();
  });
});

describe("openSqliteStore", () => {
  it.each<[string, (path: string) => Promise<void>, RegExp]>([
    ["no file", async () => {}, /no key database at .*pawl init/],
    ["a newer schema", async (path) => edit(path, "PRAGMA user_version = 99"), /schema 99.*newer/],
    [
      "another program's database",
      async (path) => edit(path, "PRAGMA application_id = 1"),
      /another program/,
    ],
    ["a damaged page", async (path) => overwrite(path, 4_096, 3_000), /damaged/],
    ["a damaged header", async (path) => overwrite(path, 0, 100), /not a database/],
    ["a cut file", async (path) => truncate(await created(path), 6_000), /damaged|not a database/],
    ["a read-only file", async (path) => chmod(await created(path), 0o400), /read-only/],
    ["a file that others may read", async (path) => chmod(await created(path), 0o644), /chmod 600/],
    ["an empty file", async (path) => writeFile(path, "", { mode: 0o600 }), /no key database yet.*pawl init/],
  ])("refuses %s and says what to do", async (_what, spoil, message) => {
    const folder = await newFolder();
    await spoil(folder.path);
    await expect(openSqliteStore({ path: folder.path })).rejects.toMatchObject({
      code: "PAWL_STORE",
      message: expect.stringMatching(message),
    });
    await folder.cleanup();
  });
});

/** An empty key database, closed. */
async function created(path: string): Promise<string> {
  await (await openSqliteStore({ path, create: true })).close();
  return path;
}

/** The thread of a store, in the hands of a test that ends it. */
async function startThread(path: string): Promise<{ thread: WriterThread; worker: Worker }> {
  const worker = spawnWriter(plainWriterData(path));
  expect(await once(worker, "message")).toEqual([{ type: "open" }]);
  return { thread: new WriterThread(worker), worker };
}

async function edit(path: string, sql: string): Promise<void> {
  const db = await rawConnection(await created(path));
  db.exec(sql);
  db.close();
}

async function overwrite(path: string, at: number, length: number): Promise<void> {
  const file = await open(await created(path), "r+");
  await file.write(new Uint8Array(length).fill(0xee), 0, length, at);
  await file.close();
}

async function filesHold(path: string, secret: Uint8Array): Promise<boolean> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if ((await readFile(join(folder, name))).includes(Buffer.from(secret))) return true;
  }
  return false;
}
