import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ClientId, clientId, copyOf, wipe } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { headText } from "../audit.ts";
import { commitFrom, enrol, listed, newClient, secretOf } from "../testing/fixtures.ts";
import { dbKeyId } from "../wrapping.ts";
import type { Database } from "./driver.ts";
import { openSqliteStore, type SqliteStoreOptions } from "./open.ts";
import { APPLICATION_ID, MIGRATIONS, pragma, SCHEMA_VERSION } from "./schema.ts";
import type { SqliteStore } from "./store.ts";
import { type Folder, newFolder, rawConnection } from "./testing/stores.ts";

vi.setConfig({ testTimeout: 120_000 });

const [A, B] = [new Uint8Array(32).fill(0xaa), new Uint8Array(32).fill(0xbb)];
/** What the source of db keys gives now. */
let keys: Uint8Array[] = [];
let folder: Folder;
const stores: SqliteStore[] = [];
const raws: Database[] = [];
beforeEach(async () => {
  folder = await newFolder();
  keys = [A];
});
afterEach(async () => {
  for (const db of raws.splice(0)) db.close();
  for (const store of stores.splice(0)) await store.close();
  await folder.cleanup();
});

async function open(more: Partial<SqliteStoreOptions> = {}): Promise<SqliteStore> {
  const dbKeys = async () => keys.map((key) => copyOf(key));
  const store = await openSqliteStore({ path: folder.path, dbKeys, ...more });
  stores.push(store);
  return store;
}

async function raw(): Promise<Database> {
  const db = await rawConnection(folder.path);
  raws.push(db);
  return db;
}

async function filesHold(bytes: Uint8Array): Promise<boolean> {
  const at = dirname(folder.path);
  for (const name of await readdir(at)) {
    if ((await readFile(join(at, name))).includes(Buffer.from(bytes))) return true;
  }
  return false;
}

describe("a key database under a db key", () => {
  it("has no secret in any of its files", async () => {
    const store = await open({ create: true });
    const client = await enrol(store, 7);
    await store.commit(commitFrom(client));
    await store.reissue(clientId(7), secretOf(50));
    expect(store.dbKeyId).toBe(dbKeyId(A));
    for (const secret of [secretOf(7), secretOf(1), secretOf(50), A])
      expect(await filesHold(secret)).toBe(false);
    expect((await store.lookUp(clientId(7)))?.secret).toEqual(secretOf(50));
  });

  it("is refused without its key, and with another", async () => {
    await open({ create: true });
    keys = [];
    await expect(open()).rejects.toThrow(/encrypted under db key [0-9a-f]{16}, and none was given/);
    keys = [B];
    await expect(open()).rejects.toThrow(`what was given is ${dbKeyId(B)}`);
    keys = [B, A];
    expect(await (await open()).count()).toBe(0);
  });

  it("is of one service", async () => {
    expect((await open({ create: true, service: "meters" })).service).toBe("meters");
    expect((await open()).service).toBe("meters");
    await expect(open({ service: "pumps" })).rejects.toThrow(/of the service "meters", not "pumps"/);
  });

  it.each<[string, string]>([
    [
      "a swapped row",
      "UPDATE secrets SET secret = (SELECT secret FROM secrets WHERE slot = 2) WHERE slot = 1",
    ],
    ["an epoch set back", "UPDATE clients SET epoch = 0 WHERE client_id = 7"],
    ["another suite", "UPDATE clients SET suite = 3 WHERE client_id = 7"],
    [
      "a flipped byte",
      "UPDATE secrets SET secret = unhex(substr(hex(secret), 1, 20) || 'ffff' || substr(hex(secret), 25)) WHERE slot = 1",
    ],
    [
      "a secret of somebody else's, not wrapped",
      "UPDATE clients SET wrap = NULL WHERE client_id = 7; UPDATE secrets SET secret = unhex('20' || hex(zeroblob(63))) WHERE slot = 1",
    ],
  ])("refuses %s, and says whose it is", async (_what, sql) => {
    const store = await open({ create: true });
    const seven = await enrol(store, 7);
    await enrol(store, 8);
    await store.commit(commitFrom(seven));
    (await raw()).exec(sql);
    const refused = {
      code: "PAWL_STORE",
      message: expect.stringContaining("secret of client 7 does not open"),
    };
    await expect(store.lookUp(clientId(7))).rejects.toMatchObject(refused);
    expect((await store.lookUp(clientId(8)))?.secret).toEqual(secretOf(8));
    expect((await store.verify()).problems).toEqual([expect.stringContaining("client 7")]);
    // Nothing partial: others commit, and a reissue mends it.
    const eight = await store.get(clientId(8));
    if (eight !== null) expect(await store.commit(commitFrom(eight))).toEqual({ outcome: "done" });
    await store.reissue(clientId(7), secretOf(70));
    expect((await store.lookUp(clientId(7)))?.secret).toEqual(secretOf(70));
    (await raw()).exec("UPDATE store SET wrap = NULL, audit_wrap = NULL");
    await expect(open()).rejects.toThrow(/is not encrypted although there is a db key/);
  });
});

describe("rewrap", () => {
  it("moves a database to another key while other store objects use it", async () => {
    const server = await open({ create: true });
    const clients = await server.add(Array.from({ length: 600 }, (_, n) => newClient(n + 1)));
    let moving = true;
    const epochs = new Map<ClientId, number>();
    const busy = (async () => {
      while (moving) {
        await Promise.all(
          clients.slice(0, 50).map(async (client) => {
            const at = epochs.get(client.clientId) ?? 0;
            const done = await server.commit(commitFrom({ ...client, epoch: at }));
            expect(done).toEqual({ outcome: "done" });
            epochs.set(client.clientId, at + 1);
            expect((await server.lookUp(client.clientId))?.secret).toEqual(secretOf(at + 1));
          }),
        );
      }
    })();
    keys = [A, B];
    const operator = await open();
    const progress: number[] = [];
    await operator.rewrap(dbKeyId(B), (done, of) => progress.push(done / of));
    moving = false;
    await busy;
    expect(progress.at(-1)).toBe(1);
    expect(server.dbKeyId).toBe(dbKeyId(B));
    keys = [B];
    const later = await open();
    expect((await later.verify()).problems).toEqual([]);
    expect((await server.lookUp(clientId(600)))?.secret).toEqual(secretOf(600));
    const wraps = (await raw()).prepare("SELECT DISTINCT wrap FROM clients").all();
    expect(wraps).toEqual([{ wrap: dbKeyId(B) }]);
  });

  it("may be taken up again where it stopped", async () => {
    const store = await open({ create: true });
    await store.add(Array.from({ length: 300 }, (_, n) => newClient(n + 1)));
    keys = [A, B];
    await expect(
      store.rewrap(dbKeyId(B), () => {
        throw new Error("killed");
      }),
    ).rejects.toThrow("killed");
    const again = await open();
    expect((await again.verify()).problems).toEqual([]);
    await again.rewrap(dbKeyId(B));
    keys = [B];
    expect((await (await open()).verify()).problems).toEqual([]);
  });

  it("refuses a key that is not there, and changes nothing", async () => {
    const store = await open({ create: true });
    await enrol(store, 7);
    await expect(store.rewrap(dbKeyId(B))).rejects.toThrow(/encrypted under db key/);
    expect(store.dbKeyId).toBe(dbKeyId(A));
    expect((await store.lookUp(clientId(7)))?.secret).toEqual(secretOf(7));
  });

  it("leaves nothing that the old key opens", async () => {
    const store = await open({ create: true });
    await enrol(store, 7);
    const old = (await raw()).prepare("SELECT secret FROM secrets").get() as { readonly secret: Uint8Array };
    const before = copyOf(old.secret);
    expect(await filesHold(before)).toBe(true);
    keys = [A, B];
    await store.rewrap(dbKeyId(B));
    await vi.waitFor(async () => expect(await filesHold(before)).toBe(false), { timeout: 15_000 });
  });
});

describe("a database that was not encrypted", () => {
  it("is refused with a db key until it is encrypted, in one step, while others use it", async () => {
    keys = [];
    const server = await open({ create: true });
    const client = await enrol(server, 7);
    keys = [A];
    await expect(open()).rejects.toThrow(/pawl keys rewrap encrypts it/);
    const operator = await open({ encrypt: true });
    expect((await operator.lookUp(clientId(7)))?.secret).toEqual(secretOf(7));
    expect(await server.commit(commitFrom(client))).toEqual({ outcome: "done" });
    expect((await server.lookUp(clientId(7)))?.secret).toEqual(secretOf(1));
    expect((await (await open()).verify()).problems).toEqual([]);
    await vi.waitFor(async () => expect(await filesHold(secretOf(7))).toBe(false), { timeout: 15_000 });
  });

  it("of the first schema is taken over with its clients", async () => {
    const db = await raw();
    db.exec(
      `PRAGMA journal_mode = WAL; ${MIGRATIONS[0]}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1;`,
    );
    db.exec(`INSERT INTO clients (client_id, suite, generation, epoch, secret, hello_window, created, last_seen)
      VALUES (7, 2, x'0102030405060708', 3, zeroblob(32), 64, 1000, 2000), (8, 2, x'0102030405060709', 0, zeroblob(32), 64, 1500, NULL)`);
    const { chmod } = await import("node:fs/promises");
    await chmod(folder.path, 0o600);
    for (const name of ["-wal", "-shm"]) await chmod(`${folder.path}${name}`, 0o600).catch(() => {});
    keys = [];
    const store = await open();
    expect(await listed(store)).toMatchObject([
      { clientId: 7, epoch: 3, moved: 2_000, lastSeen: 2_000 },
      { clientId: 8, epoch: 0, moved: 1_500, lastSeen: null },
    ]);
    expect(await store.verify()).toMatchObject({ entries: 3, problems: [] });
    expect(pragma(db, "user_version")).toBe(SCHEMA_VERSION);
  });
});

describe("the audit log", () => {
  async function tampered(sql: string): Promise<readonly string[]> {
    const store = await open({ create: true });
    await store.add([1, 2, 3].map((id) => newClient(id)));
    await store.revoke(clientId(2), "lost");
    await store.remove(clientId(3));
    expect((await store.verify()).problems).toEqual([]);
    (await raw()).exec(sql);
    return (await store.verify()).problems;
  }

  it.each<[string, string, RegExp]>([
    ["an altered reason", "UPDATE audit SET body = replace(body, 'lost', 'sold')", /entry 5 .*altered/],
    ["an entry left out", "DELETE FROM audit WHERE seq = 4", /entries 4 to 4 .*missing/],
    ["entries out of order", "UPDATE audit SET seq = 99 WHERE seq = 2", /entries 2 to 2 .*missing/],
    [
      "a revocation cut off with its row",
      "DELETE FROM audit WHERE seq >= 5",
      /client 2 is revoked, and the audit log says otherwise/,
    ],
    [
      "a revocation undone",
      "UPDATE clients SET revoked_at = NULL, revoked_reason = NULL",
      /client 2 is not revoked, and the audit log says otherwise/,
    ],
    [
      "a generation set back",
      "UPDATE clients SET generation = zeroblob(8) WHERE client_id = 1",
      /client 1 has another generation/,
    ],
    ["a client taken away", "DELETE FROM clients WHERE client_id = 1", /client 1 is gone/],
    ["a client put back", "UPDATE clients SET client_id = 3 WHERE client_id = 1", /client 3/],
  ])("shows %s", async (_what, sql, problem) => {
    expect(await tampered(sql)).toEqual(expect.arrayContaining([expect.stringMatching(problem)]));
  });

  it("shows an older copy of the whole file to who kept a head", async () => {
    const store = await open({ create: true });
    await enrol(store, 7);
    await store.backup(`${folder.path}.old`);
    await store.revoke(clientId(7), "lost");
    const kept = headText((await store.verify()).head);
    const old = await open({ path: `${folder.path}.old` });
    expect((await old.verify()).problems).toEqual([]);
    expect((await old.verify({ expectHead: kept })).problems).toEqual([
      expect.stringContaining("older copy"),
    ]);
  });
});

describe("erasure", () => {
  it("leaves no secret that was replaced, wrapped or not, in any file, whatever was done", {
    timeout: 120_000,
  }, async () => {
    const step = fc.record({
      id: fc.integer({ min: 1, max: 40 }),
      kind: fc.constantFrom("commit", "commit", "reissue", "remove", "add", "rename"),
      length: fc.integer({ min: 0, max: 900 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(step, { minLength: 150, maxLength: 250 }),
        async (wrapped, steps) => {
          const own = await newFolder();
          const options = { path: own.path, ...(wrapped ? { dbKeys: async () => [copyOf(A)] } : {}) };
          const store = await openSqliteStore({ ...options, create: true });
          const db = await rawConnection(own.path);
          const column = db.prepare("SELECT client_id, secret FROM clients JOIN secrets USING (slot)");
          const seen = new Map<string, Uint8Array>();
          const look = () => {
            for (const row of column.all() as { client_id: number; secret: Uint8Array }[]) {
              seen.set(Buffer.from(row.secret).toString("hex"), copyOf(row.secret));
            }
          };
          for (const { id, kind, length } of steps)
            await take(store, clientId(id), kind, length).finally(look);
          const current = new Set(
            (column.all() as { secret: Uint8Array }[]).map((row) => Buffer.from(row.secret).toString("hex")),
          );
          db.close();
          await store.close();
          const files: Buffer[] = [];
          for (const name of await readdir(dirname(own.path)))
            files.push(await readFile(join(dirname(own.path), name)));
          const left = [...seen].filter(
            ([hex, bytes]) => !current.has(hex) && files.some((file) => file.includes(Buffer.from(bytes))),
          );
          expect(left.map(([hex]) => hex)).toEqual([]);
          await own.cleanup();
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  });

  async function take(store: SqliteStore, id: ClientId, kind: string, length: number): Promise<void> {
    const client = await store.get(id);
    const secret = systemRandom(32);
    if (client === null) await store.add([newClient(id, { secret, label: "x".repeat(length) })]);
    else if (kind === "commit") await store.commit(commitFrom(client, { secret }));
    else if (kind === "reissue") await store.reissue(id, secret);
    else if (kind === "remove") await store.remove(id);
    else await store.rename(id, "y".repeat(length));
    wipe(secret);
  }
});
