import { clientId, epoch, RESTORED_WINDOW, STRICT_GCM } from "@pawl/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { Alarm } from "../alarm.ts";
import { type AuditEntry, headText } from "../audit.ts";
import { AlreadyEnrolledError, ClientCapError } from "../errors.ts";
import type { ExportedClient, KeyStore } from "../store.ts";
import type { StoreUnderTest } from "./conformance.ts";
import { acceptedAt, changesOf, commitFrom, enrol, listed, newClient, secretOf } from "./fixtures.ts";

const HOUR_MS = 3_600_000;

async function logged(store: KeyStore, options = {}): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for await (const entry of store.log(options)) entries.push(entry);
  return entries;
}

async function exported(store: KeyStore): Promise<ExportedClient[]> {
  const clients: ExportedClient[] = [];
  for await (const client of store.exportClients()) clients.push(client);
  return clients;
}

function alarm(more: Partial<Alarm> = {}): Alarm {
  return {
    clientId: clientId(7),
    kind: "stale-epoch",
    count: 1,
    at: 10_000,
    remoteAddress: "192.0.2.1",
    epoch: epoch(1),
    stored: epoch(4),
    ...more,
  };
}

/** The promises that operators rely on: backups, alarms, the audit log, what `verify` finds. */
export function fleetConformance(current: () => StoreUnderTest): void {
  let made: StoreUnderTest;
  let store: KeyStore;
  beforeEach(() => {
    made = current();
    store = made.store;
  });

  describe("exportClients and importClients", () => {
    it("carry each client as it was, with a new generation and the window of a restored record", async () => {
      made.setNow(1_000);
      const first = await enrol(store, 7, { label: "cellar" });
      await enrol(store, 9, { suite: STRICT_GCM });
      made.setNow(2_000);
      await store.commit(commitFrom(first, { secret: secretOf(70) }));
      await store.revoke(clientId(9), "lost");
      const before = await listed(store);
      const clients = await exported(store);
      expect(clients).toMatchObject([
        { clientId: 7, epoch: 1, secret: secretOf(70), accepted: acceptedAt(0), label: "cellar" },
        { clientId: 9, suite: STRICT_GCM, secret: secretOf(9), revoked: { reason: "lost" } },
      ]);
      for (const { clientId: id } of clients) await store.remove(id);
      const { changes, stop } = changesOf(store);
      made.setNow(3_000);
      const imported = await store.importClients(clients);
      expect(imported).toMatchObject(
        before.map(({ generation: _, ...info }) => ({ ...info, window: RESTORED_WINDOW })),
      );
      expect(imported.map((info) => info.generation)).not.toEqual(before.map((info) => info.generation));
      expect(changes.map((change) => change.now?.epoch)).toEqual([1, 0]);
      expect(await store.lookUp(clientId(7))).toMatchObject({ secret: secretOf(70), revoked: false });
      expect(await store.lookUp(clientId(9))).toMatchObject({ secret: secretOf(9), revoked: true });
      expect((await store.verify()).problems).toEqual([]);
      stop();
    });

    it("are on record before the first secret is out", async () => {
      await store.add([newClient(1), newClient(2)]);
      for await (const client of store.exportClients()) {
        expect(client.clientId).toBe(1);
        break;
      }
      expect((await logged(store)).at(-1)).toMatchObject({ kind: "exported", details: { clients: 2 } });
    });

    it("import all or none, and keep to the cap", async () => {
      await store.add([newClient(1), newClient(2)]);
      const clients = await exported(store);
      await store.remove(clientId(1));
      const taken = store.importClients(clients);
      await expect(taken).rejects.toThrow(AlreadyEnrolledError);
      expect(await store.count()).toBe(1);
      const one = clients.filter((client) => client.clientId === 1);
      await expect(store.importClients(one, { maxClients: 1 })).rejects.toThrow(ClientCapError);
      expect(await store.importClients(one, { maxClients: 2 })).toHaveLength(1);
    });
  });

  describe("alarms", () => {
    it("are counted by client and kind, with the address and the epochs of the last", async () => {
      await enrol(store, 7);
      await enrol(store, 8);
      await store.alarm(alarm({ count: 3 }));
      await store.alarm(alarm({ count: 2, at: 11_000, remoteAddress: "192.0.2.2", epoch: epoch(2) }));
      await store.alarm(alarm({ kind: "clone-detected", at: 12_000, stored: null }));
      await store.alarm(alarm({ clientId: clientId(404) }));
      expect(await store.alarms(clientId(7))).toEqual([
        {
          kind: "clone-detected",
          count: 1,
          firstAt: 12_000,
          lastAt: 12_000,
          remoteAddress: "192.0.2.1",
          epoch: 1,
          stored: null,
        },
        {
          kind: "stale-epoch",
          count: 5,
          firstAt: 10_000,
          lastAt: 11_000,
          remoteAddress: "192.0.2.2",
          epoch: 2,
          stored: 4,
        },
      ]);
      expect(await store.alarms(clientId(8))).toEqual([]);
      expect(await store.alarmed()).toEqual([7]);
      expect(await store.alarms(clientId(404))).toEqual([]);
    });

    it("are forgotten with a reissue and a removal", async () => {
      await enrol(store, 7);
      await store.alarm(alarm());
      await store.reissue(clientId(7), secretOf(1));
      expect(await store.alarms(clientId(7))).toEqual([]);
      await store.alarm(alarm());
      await store.remove(clientId(7));
      await enrol(store, 7);
      expect(await store.alarms(clientId(7))).toEqual([]);
    });

    it("fill the log with a line a day, or an hour where only a holder of the key can cause them", async () => {
      await enrol(store, 7);
      for (let hour = 0; hour < 25; hour++) {
        for (const kind of ["stale-epoch", "clone-detected", "revoked-hello"] as const) {
          await store.alarm(alarm({ kind, at: hour * HOUR_MS }));
          await store.alarm(alarm({ kind, at: hour * HOUR_MS + 1 }));
        }
      }
      const kinds = (await logged(store, { clientId: clientId(7) })).map((entry) => entry.kind);
      const count = (kind: string) => kinds.filter((one) => one === kind).length;
      expect([count("stale-epoch"), count("revoked-hello"), count("clone-detected")]).toEqual([2, 2, 25]);
    });
  });

  describe("log", () => {
    it("has what happened to every client: when, why, and the generation after it", async () => {
      made.setNow(1_000);
      const client = await enrol(store, 7, { label: "cellar" });
      await store.commit(commitFrom(client));
      made.setNow(2_000);
      const revoked = await store.revoke(clientId(7), "stolen");
      await store.rename(clientId(7), "attic");
      const reissued = await store.reissue(clientId(7), secretOf(1), "found again");
      await enrol(store, 8);
      await store.remove(clientId(7), "sold");
      const entries = await logged(store);
      expect(entries.map(({ seq, at, kind, clientId: id }) => [seq, at, kind, id])).toEqual([
        [1, expect.any(Number), "created", null],
        [2, 1_000, "enrolled", 7],
        [3, 2_000, "revoked", 7],
        [4, 2_000, "renamed", 7],
        [5, 2_000, "reissued", 7],
        [6, 2_000, "enrolled", 8],
        [7, 2_000, "removed", 7],
      ]);
      expect(entries.slice(1, 5).map((entry) => entry.generation)).toEqual([
        client.generation,
        revoked.generation,
        revoked.generation,
        reissued.generation,
      ]);
      expect(entries[1]?.details).toEqual({ suite: "strict", label: "cellar" });
      expect(entries.slice(2).map((entry) => entry.details)).toMatchObject([
        { reason: "stolen" },
        { label: "attic" },
        { reason: "found again" },
        {},
        { reason: "sold" },
      ]);
      expect((await logged(store, { clientId: clientId(8) })).map((entry) => entry.seq)).toEqual([6]);
      expect((await logged(store, { after: 5 })).map((entry) => entry.seq)).toEqual([6, 7]);
    });

    it("has nothing of what was refused", async () => {
      await enrol(store, 7);
      await expect(enrol(store, 7)).rejects.toThrow();
      await expect(store.revoke(clientId(8), "x")).rejects.toThrow();
      await expect(store.add([newClient(9)], { maxClients: 1 })).rejects.toThrow();
      expect((await logged(store)).map((entry) => entry.kind)).toEqual(["created", "enrolled"]);
    });
  });

  describe("verify", () => {
    it("finds a sound store sound, and gives the head of its log", async () => {
      const client = await enrol(store, 7);
      const first = await store.verify();
      await store.commit(commitFrom(client));
      await store.revoke(clientId(7), "x");
      const second = await store.verify({ expectHead: headText(first.head) });
      expect(second).toMatchObject({ clients: 1, entries: 3, problems: [], problemCount: 0 });
      const foreign = headText({ seq: 2, mac: new Uint8Array(32) });
      expect((await store.verify({ expectHead: foreign })).problems).toEqual([
        expect.stringContaining("an older copy"),
      ]);
    });
  });

  it("probes without changing anything", async () => {
    await enrol(store, 7);
    const before = await listed(store);
    await store.probe();
    expect(await listed(store)).toEqual(before);
    expect((await store.verify()).entries).toBe(2);
  });
}
