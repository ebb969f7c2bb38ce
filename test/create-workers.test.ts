import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@pawl/client";
import { type ClientId, clientId, STRICT } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { createWorkers, type PawlServerEvent, type PawlWorkers } from "@pawl/server";
import { type KeyStore, openSqliteStore, type SqliteStore } from "@pawl/server/keys";
import { describe, expect, it } from "vitest";
import { inTime, tally } from "../packages/server/src/testing/in-time.ts";
import { credentialOf } from "./support/fleet.ts";
import { failing } from "./support/stores.ts";
import { FleetClient } from "./support/worker-fleet.ts";

/** A server of several processes by the library, and clients over real sockets. */

/** Two workers that echo, as a user of the library would write them, and clients that are enrolled. */
async function withEchoWorkers(
  use: (echo: {
    readonly keys: SqliteStore;
    readonly server: PawlWorkers;
    readonly ids: readonly ClientId[];
    /** A client that is not live yet. */
    readonly connect: (id: ClientId) => Promise<FleetClient>;
    /** Waits for an event that has come or is to come. */
    readonly event: (type: PawlServerEvent["type"]) => Promise<PawlServerEvent>;
    readonly inTime: <T>(what: string, promise: Promise<T>) => Promise<T>;
  }) => Promise<void>,
  faulty: (keys: KeyStore) => KeyStore = (keys) => keys,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-workers-"));
  const path = join(folder, "keys.db");
  const keys = await openSqliteStore({ path, create: true });
  const script = new URL("./support/echo-worker.js", import.meta.url);
  const server = createWorkers({ keys: faulty(keys), workers: 2, script, data: { path }, execArgv: [] });
  const events: PawlServerEvent[] = [];
  server.events.onAny((event) => events.push(event));
  const seen = () => tally(events);
  try {
    const clients = [1, 2, 3, 4].map((id) => ({
      clientId: clientId(id),
      suite: STRICT,
      secret: systemRandom(32),
    }));
    await keys.add(clients);
    const address = await inTime("the workers to start", server.listen({ port: 0 }), seen);
    const credentials = new Map(
      clients.map(({ clientId: id, secret }) => [id, credentialOf(STRICT, id, secret)]),
    );
    await use({
      keys,
      server,
      ids: clients.map(({ clientId: id }) => id),
      connect: async (id) => {
        const credential = credentials.get(id);
        if (credential === undefined) throw new Error(`client ${id} is not enrolled`);
        const connecting = connect({ credential, ...address });
        return new FleetClient(await inTime(`client ${id} to connect`, connecting, seen), seen);
      },
      event: (type) => {
        const found = events.find((event) => event.type === type);
        if (found !== undefined) return Promise.resolve(found);
        const coming = new Promise<PawlServerEvent>((resolve) => server.events.on(type, resolve));
        return inTime(type, coming, seen);
      },
      inTime: (what, promise) => inTime(what, promise, seen),
    });
  } finally {
    // Closed already, unless the test has failed.
    await inTime("the server to close", server.close(), seen, 5_000);
    await keys.close();
    await rm(folder, { recursive: true, force: true });
  }
}

describe("createWorkers", () => {
  it("runs any handler of messages, and knows the sessions of all workers", async () => {
    await withEchoWorkers(async ({ keys, server, ids, connect, inTime }) => {
      const sessions: FleetClient[] = [];
      for (const id of ids) sessions.push(await connect(id));
      expect(server.halfOpen.count).toBe(4);
      const answers = await Promise.all(
        sessions.map(async (session) => {
          await session.request("first");
          return session.request("ä");
        }),
      );
      const live = await inTime("the workers' sessions", server.sessions());
      expect(live.map(({ clientId: id, rounds, epoch }) => [id, rounds, epoch]).sort()).toEqual(
        ids.map((id) => [id, 2, 0]),
      );
      expect(live.map(({ worker }) => worker).sort()).toEqual([1, 1, 2, 2]);
      expect(answers.sort()).toEqual(live.map(({ worker, clientId: id }) => `${worker} ${id} ä`).sort());
      expect(server.halfOpen.count).toBe(0);
      // The primary is who writes: one operation for the enrolment, one for each client's first packet.
      expect(keys.stats.operations).toBe(1 + ids.length);
      const closed = server.close({ graceMs: 1_000 });
      expect(server.close()).toBe(closed);
      for (const session of sessions) expect(await session.ended()).toMatchObject({ reason: "shutdown" });
      await inTime("the workers to end", closed);
    });
  });

  it("lets nobody in while its primary cannot write, says so in the worker, and recovers", async () => {
    const fails = { commit: true };
    const use: Parameters<typeof withEchoWorkers>[0] = async ({ keys, ids, connect, event }) => {
      const [one, two] = ids as [ClientId, ClientId];
      const early = await connect(one);
      await expect(early.request("x")).rejects.toThrow();
      expect(await event("store-unavailable")).toMatchObject({ message: "the disk is gone", worker: 1 });
      expect(await event("commit")).toMatchObject({ outcome: "unknown", clientId: one, worker: 1 });
      expect((await keys.get(one))?.epoch).toBe(0);
      fails.commit = false;
      expect(await event("store-available")).toMatchObject({ worker: 1 });
      // Its credential has moved on: nothing of it was lost.
      expect(await (await connect(one)).request("ä")).toMatch(/^[12] 1 ä$/);
      expect(await (await connect(two)).request("ä")).toMatch(/^[12] 2 ä$/);
      expect((await keys.get(one))?.accepted).not.toBeNull();
    };
    await withEchoWorkers(use, (keys) => failing(keys, fails));
  });
});
