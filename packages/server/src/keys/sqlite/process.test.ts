import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changesOf, commitFrom, enrol, listed, newClient, secretOf } from "../testing/fixtures.ts";
import { openSqliteStore } from "./open.ts";
import { type Folder, newFolder } from "./testing/stores.ts";

const CHILD = fileURLToPath(new URL("./testing/child.ts", import.meta.url));

/** Section 4.5 allows a second. */
const WATCH_LIMIT_MS = 1_000;

let folder: Folder;
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(async () => {
  await folder.cleanup();
});

function startChild(task: string): ChildProcess & { readonly stdout: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, [...process.execArgv, CHILD, folder.path, task], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return child as ChildProcess & { readonly stdout: NodeJS.ReadableStream };
}

describe("a key database that several share", () => {
  it("tells of changes by another store object within a second, each once", async () => {
    const here = await openSqliteStore({ path: folder.path, create: true });
    const client = await enrol(here, 7);
    await enrol(here, 8);
    const there = await openSqliteStore({ path: folder.path });
    const { changes, until, stop } = changesOf(here);
    const start = performance.now();
    await there.commit(commitFrom(client));
    await there.remove((await enrol(there, 9)).clientId);
    await there.remove((await listed(there))[1]?.clientId ?? client.clientId);
    await until((change) => change.clientId === 7);
    await until((change) => change.clientId === 8);
    expect(performance.now() - start).toBeLessThan(WATCH_LIMIT_MS);
    await here.commit(commitFrom({ ...client, epoch: 1 }));
    expect(changes.filter((change) => change.clientId === 7).map((change) => change.now?.epoch)).toEqual([
      1, 2,
    ]);
    expect(changes.filter((change) => change.clientId === 8).map((change) => change.now)).toEqual([null]);
    stop();
    await here.close();
    await there.close();
  });

  it("is made once when several make it at the same time", async () => {
    const stores = await Promise.all(
      Array.from({ length: 6 }, () => openSqliteStore({ path: folder.path, create: true })),
    );
    await Promise.all(stores.map((store, n) => enrol(store, n + 1)));
    for (const store of stores) expect(await store.count()).toBe(6);
    for (const store of stores) await store.close();
  });

  it("lets one of two store objects win a compare-and-set", async () => {
    const stores = [
      await openSqliteStore({ path: folder.path, create: true }),
      await openSqliteStore({ path: folder.path }),
    ];
    const clients = (await stores[0]?.add(Array.from({ length: 30 }, (_, n) => newClient(n + 1)))) ?? [];
    const outcomes = await Promise.all(
      stores.flatMap((store) => clients.map((client) => store.commit(commitFrom(client)))),
    );
    expect(outcomes.filter((one) => one.outcome === "done")).toHaveLength(30);
    for (const store of stores) {
      for await (const info of store.list()) expect(info.epoch).toBe(1);
      await store.close();
    }
  });

  it("tells of a revocation by another process within a second of its end", async () => {
    const store = await openSqliteStore({ path: folder.path, create: true });
    const client = await enrol(store, 7);
    const { until, stop } = changesOf(store);
    const told = until((change) => change.now?.revoked === true);
    const child = startChild("revoke-all");
    const [code] = await once(child, "exit");
    const start = performance.now();
    const change = await told;
    expect(code).toBe(0);
    expect(performance.now() - start).toBeLessThan(WATCH_LIMIT_MS);
    expect(change.now?.generation).not.toBe(client.generation);
    expect(await store.commit(commitFrom(client))).toMatchObject({
      outcome: "lost",
      current: { revoked: true },
    });
    stop();
    await store.close();
  });
});

describe("a process that does not close its store", () => {
  it("stays until its commits are durable, and no longer", async () => {
    const first = await openSqliteStore({ path: folder.path, create: true });
    await first.add([newClient(1), newClient(2)]);
    await first.close();
    const child = startChild("commit-and-leave");
    const exited = once(child, "exit");
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) lines.push(line);
    expect(await exited).toEqual([0, null]);
    expect(lines.sort()).toEqual(["1 done", "2 done"]);
    const store = await openSqliteStore({ path: folder.path });
    expect((await listed(store)).map((info) => info.epoch)).toEqual([1, 1]);
    await store.close();
  });
});

describe("a process that is killed while it commits", () => {
  const ROUNDS = 20;
  const CLIENTS = 10;

  it(`keeps every commit that it acknowledged, ${ROUNDS} times over`, { timeout: 120_000 }, async () => {
    const first = await openSqliteStore({ path: folder.path, create: true });
    await first.add(Array.from({ length: CLIENTS }, (_, n) => newClient(n + 1)));
    await first.close();
    for (let round = 0; round < ROUNDS; round++) {
      const acknowledged = await killAfter(1 + round * 17);
      const store = await openSqliteStore({ path: folder.path });
      for (const { clientId, epoch } of await listed(store)) {
        const least = acknowledged.get(clientId) ?? 0;
        expect(epoch).toBeGreaterThanOrEqual(least);
        if (acknowledged.has(clientId)) expect(epoch).toBeLessThanOrEqual(least + 1);
        const record = await store.lookUp(clientId);
        expect(record?.secret).toEqual(secretOf(epoch === 0 ? clientId : epoch));
      }
      await store.close();
    }
  });

  /** Runs the child until it has acknowledged `lines` commits; returns the last epoch of each client. */
  async function killAfter(lines: number): Promise<Map<number, number>> {
    const child = startChild("commit-for-ever");
    const acknowledged = new Map<number, number>();
    const exited = once(child, "exit");
    let count = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [id, epoch] = line.split(" ").map(Number);
      if (id !== undefined && epoch !== undefined) acknowledged.set(id, epoch);
      count++;
      if (count === lines) child.kill("SIGKILL");
    }
    const [, signal] = await exited;
    expect(signal).toBe("SIGKILL");
    expect(count).toBeGreaterThanOrEqual(lines);
    return acknowledged;
  }
});
