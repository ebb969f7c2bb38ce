import { clientId, DEFAULT_WINDOW, STRICT_GCM } from "@pawl/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  AlreadyEnrolledError,
  ClientCapError,
  PskAlreadyImportedError,
  StoreError,
  UnknownClientError,
} from "../errors.ts";
import type { KeyStore } from "../store.ts";
import { commitConformance, secretConformance } from "./conformance-commit.ts";
import { fleetConformance } from "./conformance-fleet.ts";
import { acceptedAt, changesOf, commitFrom, enrol, listed, newClient, secretOf } from "./fixtures.ts";
import { storeModelProperty } from "./model-property.ts";

/** A fresh, empty store and what belongs to it. `now` is what its clock says next, in milliseconds since 1970. */
export interface StoreUnderTest {
  readonly store: KeyStore;
  setNow(ms: number): void;
  /** Sets the window of a client, as a restore does. Absent: the store has no way to. */
  readonly setWindow?: (id: number, window: number) => Promise<void>;
  /** Closes the store and opens what it kept. Absent: nothing outlives it. */
  readonly reopen?: () => Promise<KeyStore>;
  readonly cleanup: () => Promise<void>;
}

/** Registers a test for each promise of `KeyStore`. A new store passes all of them. */
export function storeConformance(
  name: string,
  makeStore: () => Promise<StoreUnderTest>,
  { durable = true } = {},
): void {
  describe(`${name}: what every key store promises`, () => {
    let made: StoreUnderTest;
    let store: KeyStore;

    beforeEach(async () => {
      made = await makeStore();
      store = made.store;
    });
    afterEach(async () => {
      await made.cleanup();
    });

    commitConformance(() => made);
    secretConformance(() => made);
    fleetConformance(() => made);

    describe("add", () => {
      it("enrols with what was given, and draws a generation for each", async () => {
        made.setNow(1_234);
        const added = await store.add([
          newClient(9, { label: "boiler" }),
          newClient(3, { suite: STRICT_GCM }),
        ]);
        expect(added).toMatchObject([
          { clientId: 9, label: "boiler", suite: { id: 2 } },
          { clientId: 3, label: null, suite: STRICT_GCM },
        ]);
        for (const info of added) {
          const fresh = {
            epoch: 0,
            window: 64,
            accepted: null,
            created: 1_234,
            lastSeen: null,
            revoked: null,
          };
          expect(info).toMatchObject(fresh);
          expect(await store.get(info.clientId)).toEqual(info);
        }
        expect(added[0]?.generation).not.toBe(added[1]?.generation);
        expect(await store.count()).toBe(2);
        expect(await store.add([])).toEqual([]);
      });

      it("enrols all or none", async () => {
        const client = await enrol(store, 5);
        const taken = store.add([newClient(4), newClient(5), newClient(6)]);
        await expect(taken).rejects.toThrow(AlreadyEnrolledError);
        await expect(taken).rejects.toMatchObject({ clientId: 5, code: "PAWL_ALREADY_ENROLLED" });
        await expect(store.add([newClient(8), newClient(8)])).rejects.toThrow(AlreadyEnrolledError);
        expect(await listed(store)).toEqual([client]);
      });

      it("keeps to the cap, with revoked clients counted", async () => {
        await store.add([newClient(1), newClient(2)], { maxClients: 2 });
        await store.revoke(clientId(1), "lost");
        const over = store.add([newClient(3), newClient(4)], { maxClients: 3 });
        await expect(over).rejects.toThrow(ClientCapError);
        expect(await store.count()).toBe(2);
        await store.add([newClient(3)], { maxClients: 3 });
        expect(await store.count()).toBe(3);
        expect(await store.add([], { maxClients: 1 })).toEqual([]);
      });

      it("never lets two at once pass the cap or take one id", async () => {
        const adds = Array.from({ length: 20 }, (_, n) => store.add([newClient(n + 1)], { maxClients: 7 }));
        const settled = await Promise.allSettled(adds);
        expect(settled.filter((one) => one.status === "fulfilled")).toHaveLength(7);
        const same = await Promise.allSettled(Array.from({ length: 5 }, () => store.add([newClient(99)])));
        expect(same.filter((one) => one.status === "fulfilled")).toHaveLength(1);
      });

      it("refuses a key that was imported, after reissue and removal too", async () => {
        const importCheck = new Uint8Array(32).fill(3);
        const twice = store.add([newClient(1, { importCheck }), newClient(2, { importCheck })]);
        await expect(twice).rejects.toThrow(PskAlreadyImportedError);
        expect(await store.count()).toBe(0);
        await enrol(store, 1, { importCheck });
        await expect(enrol(store, 2, { importCheck })).rejects.toThrow(PskAlreadyImportedError);
        await store.reissue(clientId(1), secretOf(8));
        await expect(enrol(store, 2, { importCheck })).rejects.toThrow(PskAlreadyImportedError);
        await store.remove(clientId(1));
        await expect(enrol(store, 1, { importCheck })).rejects.toThrow(PskAlreadyImportedError);
        await enrol(store, 1, { importCheck: new Uint8Array(32).fill(4) });
      });
    });

    describe("freeIds", () => {
      it("gives the lowest that are free, ascending", async () => {
        expect(await store.freeIds(3)).toEqual([1, 2, 3]);
        await store.add([newClient(2), newClient(3), newClient(5)]);
        expect(await store.freeIds(3)).toEqual([1, 4, 6]);
        expect(await store.freeIds(0)).toEqual([]);
        await expect(store.freeIds(-1)).rejects.toThrow(RangeError);
      });
    });

    describe("what an operator does", () => {
      it("lists by ascending id, past one page", async () => {
        const ids = Array.from({ length: 600 }, (_, n) => 1 + ((n * 7) % 1_201));
        await store.add(ids.map((id) => newClient(id)));
        expect((await listed(store)).map((info) => info.clientId)).toEqual([...ids].sort((a, b) => a - b));
        expect(await store.freeIds(2)).toEqual(listFree(ids).slice(0, 2));
      });

      it("revokes: a new generation, nothing accepted, the rest as it was", async () => {
        const client = await enrol(store, 7, { label: "x" });
        made.setNow(2_000);
        await store.commit(commitFrom(client));
        made.setNow(3_000);
        const revoked = await store.revoke(client.clientId, "stolen");
        expect(revoked).toMatchObject({
          epoch: 1,
          accepted: null,
          label: "x",
          lastSeen: 2_000,
          revoked: { at: 3_000, reason: "stolen" },
        });
        expect(revoked.generation).not.toBe(client.generation);
        expect(await store.get(client.clientId)).toEqual(revoked);
        expect(await store.lookUp(client.clientId)).toMatchObject({
          revoked: true,
          generation: revoked.generation,
        });
        const again = await store.revoke(client.clientId, "sold");
        expect(again.generation).not.toBe(revoked.generation);
        expect(again.revoked?.reason).toBe("sold");
      });

      it("reissues: a new secret at epoch 0, a new generation, not revoked, nothing accepted", async () => {
        const client = await enrol(store, 7, { label: "x" });
        await made.setWindow?.(7, 4_096);
        await store.commit(commitFrom(client, { accepted: acceptedAt(0) }));
        const revoked = await store.revoke(client.clientId, "stolen");
        const reissued = await store.reissue(client.clientId, secretOf(50));
        const fresh = { epoch: 0, accepted: null, revoked: null, window: DEFAULT_WINDOW, label: "x" };
        expect(reissued).toMatchObject({ ...fresh, created: client.created });
        expect([client.generation, revoked.generation]).not.toContain(reissued.generation);
        expect(await store.lookUp(client.clientId)).toMatchObject({ secret: secretOf(50), revoked: false });
        expect(await store.commit(commitFrom(reissued))).toEqual({ outcome: "done" });
      });

      it("renames without another generation", async () => {
        const client = await enrol(store, 7);
        expect(await store.rename(client.clientId, "küche")).toEqual({ ...client, label: "küche" });
        expect(await store.rename(client.clientId, "")).toEqual({ ...client, label: "" });
        expect(await store.rename(client.clientId, null)).toEqual(client);
        expect(await store.lookUp(client.clientId)).toMatchObject({ secret: secretOf(7) });
      });

      it("removes, and enrols again with another generation", async () => {
        const client = await enrol(store, 7);
        await store.remove(client.clientId);
        expect(await store.lookUp(client.clientId)).toBeNull();
        expect(await store.get(client.clientId)).toBeNull();
        expect(await store.count()).toBe(0);
        expect((await enrol(store, 7)).generation).not.toBe(client.generation);
      });

      it("says which client is unknown", async () => {
        const id = clientId(404);
        for (const call of [
          () => store.revoke(id, "x"),
          () => store.reissue(id, secretOf(1)),
          () => store.remove(id),
          () => store.rename(id, "x"),
        ]) {
          const error: unknown = await call().catch((thrown: unknown) => thrown);
          expect(error).toBeInstanceOf(UnknownClientError);
          expect(error).toMatchObject({ clientId: 404 });
        }
      });
    });

    describe("watch", () => {
      it("tells each change of generation, epoch and revocation, and each removal, once", async () => {
        const { changes, stop } = changesOf(store);
        const client = await enrol(store, 7);
        await store.commit(commitFrom(client));
        await store.commit(commitFrom(client));
        await store.rename(client.clientId, "x");
        const revoked = await store.revoke(client.clientId, "x");
        const reissued = await store.reissue(client.clientId, secretOf(1));
        await store.remove(client.clientId);
        const { clientId: id, generation } = client;
        expect(changes).toEqual([
          { clientId: id, now: { generation, epoch: 0, revoked: false } },
          { clientId: id, now: { generation, epoch: 1, revoked: false } },
          { clientId: id, now: { generation: revoked.generation, epoch: 1, revoked: true } },
          { clientId: id, now: { generation: reissued.generation, epoch: 0, revoked: false } },
          { clientId: id, now: null },
        ]);
        stop();
        stop();
        await enrol(store, 8);
        expect(changes).toHaveLength(5);
      });

      it("tells every listener, and goes on when one ends", async () => {
        const client = await enrol(store, 7);
        const [a, b] = [changesOf(store), changesOf(store)];
        await store.commit(commitFrom(client));
        a.stop();
        await store.commit(commitFrom({ ...client, epoch: 1 }));
        expect(a.changes.map((change) => change.now?.epoch)).toEqual([1]);
        expect(b.changes.map((change) => change.now?.epoch)).toEqual([1, 2]);
        b.stop();
      });
    });

    describe("close", () => {
      it("finishes what was asked for, refuses what comes later, and may be called again", async () => {
        const client = await enrol(store, 7);
        const last = Promise.all([store.commit(commitFrom(client)), store.commit(commitFrom(client))]);
        await Promise.all([store.close(), store.close()]);
        expect((await last).map((one) => one.outcome)).toEqual(["done", "lost"]);
        await store.close();
        for (const call of [
          () => store.lookUp(client.clientId),
          () => store.commit(commitFrom(client)),
          () => store.add([newClient(8)]),
          () => store.freeIds(1),
          () => store.get(client.clientId),
          () => listed(store),
          () => store.count(),
          () => store.revoke(client.clientId, "x"),
          () => store.reissue(client.clientId, secretOf(1)),
          () => store.remove(client.clientId),
          () => store.rename(client.clientId, null),
          () => store.exportClients()[Symbol.asyncIterator]().next(),
          () => store.importClients([]),
          () => store.alarms(client.clientId),
          () => store.log()[Symbol.asyncIterator]().next(),
          () => store.verify(),
          () => store.probe(),
        ]) {
          await expect(call()).rejects.toThrow(StoreError);
        }
        expect(() => store.watch(() => {})).toThrow(StoreError);
      });

      if (!durable) return;
      it("loses nothing", async () => {
        if (made.reopen === undefined) throw new Error("a durable store can be opened again");
        const importCheck = new Uint8Array(32).fill(3);
        const client = await enrol(store, 7, { label: "x", importCheck });
        await store.commit(commitFrom(client));
        await enrol(store, 8, { suite: STRICT_GCM });
        await store.revoke(clientId(8), "gone");
        const before = await listed(store);
        const record = await store.lookUp(client.clientId);
        const reopened = await made.reopen();
        expect(await listed(reopened)).toEqual(before);
        expect(await reopened.lookUp(client.clientId)).toEqual(record);
        expect((await reopened.verify()).problems).toEqual([]);
        await expect(enrol(reopened, 9, { importCheck })).rejects.toThrow(PskAlreadyImportedError);
      });
    });

    it("does what a plain model does, whatever is asked of it", { timeout: 60_000 }, async () => {
      await storeModelProperty(makeStore);
    });
  });
}

function listFree(taken: readonly number[]): number[] {
  return Array.from({ length: taken.length + 2 }, (_, n) => n + 1).filter((id) => !taken.includes(id));
}
