import { access, copyFile, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { clientId, copyOf, epoch } from "@pawl/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PskAlreadyImportedError } from "../errors.ts";
import { commitFrom, enrol, listed, newClient, secretOf } from "../testing/fixtures.ts";
import { openSqliteStore } from "./open.ts";
import { type RestoreOptions, restoreSqliteStore } from "./restore.ts";
import type { SqliteStore } from "./store.ts";
import { type Folder, newFolder } from "./testing/stores.ts";

// A thread for each store that is opened takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const KEY = new Uint8Array(32).fill(0xdb);
const OTHER_KEY = new Uint8Array(32).fill(0xdc);
const keys =
  (...list: Uint8Array[]) =>
  async () =>
    list.map((key) => copyOf(key));

const folders: Folder[] = [];
const stores: SqliteStore[] = [];
let path = "";
let backup = "";
beforeEach(async () => {
  path = await newPath();
  backup = `${path}.backup`;
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  for (const folder of folders.splice(0)) await folder.cleanup();
});

async function newPath(): Promise<string> {
  const folder = await newFolder();
  folders.push(folder);
  return folder.path;
}

async function open(at: string, more = {}): Promise<SqliteStore> {
  const store = await openSqliteStore({ path: at, dbKeys: keys(KEY), ...more });
  stores.push(store);
  return store;
}

/** Without the connections that this process may still have to the file (see driver.ts). */
async function elsewhere(file: string): Promise<string> {
  const to = await newPath();
  await copyFile(file, to);
  return to;
}

async function restore(at: string, more: Partial<RestoreOptions> = {}) {
  return restoreSqliteStore({ path: at, backup, dbKeys: keys(KEY), ...more });
}

/** Clients 1 to 6, of which 6 is revoked, with a backup; then 2 moves on, 3 is revoked, 4 reissued, 5 removed, 7 enrolled. */
async function fleet(): Promise<string> {
  const store = await open(path, { create: true });
  await store.add([1, 2, 3, 4, 5, 6].map((id) => newClient(id)));
  await store.revoke(clientId(6), "before");
  await store.backup(backup);
  const two = await store.get(clientId(2));
  if (two !== null) await store.commit(commitFrom(two, { to: 300 }));
  await store.revoke(clientId(3), "lost");
  await store.reissue(clientId(4), secretOf(44));
  await store.remove(clientId(5));
  await enrol(store, 7, { importCheck: new Uint8Array(32).fill(7) });
  await store.close();
  return elsewhere(path);
}

describe("backup", () => {
  it("is a file for its owner alone, complete in itself, and never overwrites one", async () => {
    const store = await open(path, { create: true });
    await enrol(store, 1);
    await store.backup(backup);
    expect((await stat(backup)).mode & 0o777).toBe(0o600);
    expect((await readFile(backup)).includes(Buffer.from(secretOf(1)))).toBe(false);
    await expect(store.backup(backup)).rejects.toThrow(/is there already; it was not overwritten/);
    await expect(store.backup(`${path}/none`)).rejects.toThrow(/ENOTDIR/);
    // What a crash left half-written has another name, and is in nobody's way.
    await writeFile(`${path}.again.part`, "half of a backup");
    await store.backup(`${path}.again`);
    expect((await readdir(dirname(path))).filter((name) => name.endsWith(".part"))).toEqual([]);
    const copy = await open(await elsewhere(backup));
    expect(await listed(copy)).toEqual(await listed(store));
    expect(await copy.lookUp(clientId(1))).toEqual(await store.lookUp(clientId(1)));
    expect((await store.verify()).problems).toEqual([]);
  });

  it("is of one moment, while others commit", async () => {
    const store = await open(path, { create: true });
    const clients = await store.add(Array.from({ length: 200 }, (_, n) => newClient(n + 1)));
    const beside = await open(path);
    const committing = Promise.all(clients.map((client) => beside.commit(commitFrom(client))));
    await store.backup(backup);
    expect((await committing).every(({ outcome }) => outcome === "done")).toBe(true);
    expect((await (await open(await elsewhere(backup))).verify()).problems).toEqual([]);
  });
});

describe("restore", () => {
  it("puts records back wider and with new generations, and keeps what was done since", async () => {
    const at = await fleet();
    const before = new Map((await listed(await open(await elsewhere(at)))).map((one) => [one.clientId, one]));
    expect(await restore(at, { window: 5_000 })).toEqual({
      restored: 3,
      carriedOver: { revoked: [3], reissued: [4], removed: [5], enrolled: [7] },
    });
    const store = await open(await elsewhere(at));
    const after = new Map((await listed(store)).map((one) => [one.clientId, one]));
    expect([...after.keys()]).toEqual([1, 2, 3, 4, 6, 7]);
    for (const id of [1, 2, 6].map(clientId)) {
      expect(after.get(id)).toMatchObject({ epoch: 0, window: 5_000 });
      expect(after.get(id)?.generation).not.toBe(before.get(id)?.generation);
      expect((await store.lookUp(id))?.secret).toEqual(secretOf(id));
    }
    for (const id of [3, 4, 7].map(clientId)) expect(after.get(id)).toEqual(before.get(id));
    expect(after.get(clientId(6))?.revoked).toMatchObject({ reason: "before" });
    expect(await store.verify()).toMatchObject({ problems: [], clients: 6 });
    await expect(enrol(store, 9, { importCheck: new Uint8Array(32).fill(7) })).rejects.toThrow(
      PskAlreadyImportedError,
    );
    expect(await readdir(dirname(at))).toEqual(expect.not.arrayContaining(["keys.db.restoring"]));
  });

  it("narrows the window again with the first packet of the client, not with a catch-up", async () => {
    const at = await fleet();
    await restore(at);
    const store = await open(await elsewhere(at));
    const client = await store.get(clientId(2));
    if (client === null) throw new Error("client 2 is gone");
    await store.commit(commitFrom(client, { to: 300, accepted: null }));
    expect(await store.get(clientId(2))).toMatchObject({ epoch: 300, window: 4_096 });
    await store.commit(commitFrom({ ...client, epoch: epoch(300) }));
    expect(await store.get(clientId(2))).toMatchObject({ epoch: 301, window: 64 });
  });

  it("brings removed clients back only when told to", async () => {
    const at = await fleet();
    expect(await restore(at, { withRemoved: true })).toMatchObject({
      restored: 4,
      carriedOver: { removed: [] },
    });
    const store = await open(await elsewhere(at));
    expect((await store.lookUp(clientId(5)))?.secret).toEqual(secretOf(5));
    expect((await store.verify()).problems).toEqual([]);
  });

  it("may be done again, and of an older backup", async () => {
    const at = await fleet();
    await restore(at);
    const again = await elsewhere(at);
    expect(await restore(again)).toMatchObject({ restored: 3, carriedOver: { revoked: [3] } });
    expect((await (await open(await elsewhere(again))).verify()).problems).toEqual([]);
  });

  it("takes the place of a database that is gone, and says that nothing could be carried over", async () => {
    await fleet();
    const at = await newPath();
    await writeFile(`${at}-wal`, "left behind");
    expect(await restore(at)).toEqual({ restored: 6, carriedOver: null });
    expect((await stat(at)).mode & 0o777).toBe(0o600);
    await expect(access(`${at}-wal`)).rejects.toThrow();
    const store = await open(at);
    expect(await listed(store)).toMatchObject(
      [1, 2, 3, 4, 5, 6].map((id) => ({ clientId: id, window: 4_096 })),
    );
    expect((await store.verify()).problems).toEqual([]);
  });

  it("moves a backup under an older db key to the one that is used now", async () => {
    const at = await fleet();
    const store = await open(at, { dbKeys: keys(KEY, OTHER_KEY) });
    const { dbKeyId } = await import("../wrapping.ts");
    await store.rewrap(dbKeyId(OTHER_KEY));
    await store.close();
    const moved = await elsewhere(at);
    await expect(restore(moved, { dbKeys: keys(OTHER_KEY) })).rejects.toThrow(/encrypted under db key/);
    await restore(moved, { dbKeys: keys(OTHER_KEY, KEY) });
    const after = await open(await elsewhere(moved), { dbKeys: keys(OTHER_KEY) });
    expect((await after.verify()).problems).toEqual([]);
  });

  it.each<[string, (at: string) => Promise<string>, RegExp]>([
    [
      "a database that is open",
      async () => {
        await open(path);
        return path;
      },
      /is in use; stop the server/,
    ],
    [
      "another database's backup",
      async () => {
        const other = await newPath();
        const store = await open(other, { create: true });
        await enrol(store, 1);
        await store.close();
        return elsewhere(other);
      },
      /of another key database; nothing was changed/,
    ],
    [
      "a backup of another history",
      async (at) => {
        // Put back from before the backup, and gone on from there.
        const early = await open(path, {});
        await enrol(early, 50);
        await early.backup(`${path}.late`);
        await early.close();
        backup = `${path}.late`;
        return at;
      },
      /cannot be carried over.*not of the history.*move the key database away/,
    ],
    [
      "a damaged backup",
      async (at) => {
        const bytes = await readFile(backup);
        bytes.fill(0xee, 8_192, 12_288);
        await writeFile(backup, bytes);
        return at;
      },
      /backup.*(damaged|not sound|does not open|malformed)/,
    ],
    [
      "a missing backup",
      async (at) => {
        backup = "/nowhere/backup";
        return at;
      },
      /backup \/nowhere\/backup cannot be read/,
    ],
  ])("refuses %s, and changes nothing", async (_what, prepare, message) => {
    const at = await prepare(await fleet());
    const before = await readFile(at);
    await expect(restore(at)).rejects.toMatchObject({
      code: "PAWL_STORE",
      message: expect.stringMatching(message),
    });
    expect((await readFile(at)).equals(before)).toBe(true);
    expect((await readdir(dirname(at))).filter((name) => name.includes("restor"))).toEqual([]);
  });
});
