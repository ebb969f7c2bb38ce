import { CLASSIC, clientId, DEFAULT_WINDOW, epoch } from "@pawl/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { CommitOutcome, KeyStore } from "../store.ts";
import type { StoreUnderTest } from "./conformance.ts";
import { acceptedAt, commitFrom, enrol, listed, newClient, secretOf } from "./fixtures.ts";

/** The promises of `commit`: a compare-and-set on (generation, epoch, not revoked). */
export function commitConformance(current: () => StoreUnderTest): void {
  describe("commit", () => {
    let made: StoreUnderTest;
    let store: KeyStore;
    beforeEach(() => {
      made = current();
      store = made.store;
    });

    it("moves a client whose generation and epoch are as expected", async () => {
      const client = await enrol(store, 7);
      expect(await store.commit(commitFrom(client))).toEqual({ outcome: "done" });
      const record = await store.lookUp(client.clientId);
      expect(record).toMatchObject({
        generation: client.generation,
        epoch: 1,
        secret: secretOf(1),
        revoked: false,
      });
    });

    it("is lost to another epoch, and tells what is there", async () => {
      const client = await enrol(store, 7);
      await store.commit(commitFrom(client, { secret: secretOf(70) }));
      const lost = await store.commit(commitFrom(client, { secret: secretOf(71) }));
      expect(lost).toMatchObject({
        outcome: "lost",
        current: { epoch: 1, secret: secretOf(70), revoked: false },
      });
      const ahead = await store.commit(commitFrom({ ...client, epoch: epoch(5) }));
      expect(ahead).toMatchObject({ outcome: "lost", current: { epoch: 1 } });
      expect(await store.lookUp(client.clientId)).toMatchObject({ epoch: 1, secret: secretOf(70) });
    });

    it("is lost to another generation", async () => {
      const client = await enrol(store, 7);
      const now = await store.reissue(client.clientId, secretOf(9));
      const lost = await store.commit(commitFrom(client));
      expect(lost).toMatchObject({ outcome: "lost", current: { generation: now.generation, epoch: 0 } });
      expect(await store.lookUp(client.clientId)).toMatchObject({ secret: secretOf(9), accepted: null });
    });

    it("is lost to a revocation, even one whose generation is known", async () => {
      const client = await enrol(store, 7);
      const revoked = await store.revoke(client.clientId, "stolen");
      for (const expected of [client, revoked]) {
        const lost = await store.commit(commitFrom(expected));
        expect(lost).toMatchObject({ outcome: "lost", current: { epoch: 0, revoked: true } });
      }
    });

    it("is lost when the client was removed, or removed and enrolled again", async () => {
      const client = await enrol(store, 7);
      await store.remove(client.clientId);
      expect(await store.commit(commitFrom(client))).toEqual({ outcome: "lost", current: null });
      await enrol(store, 7);
      expect(await store.commit(commitFrom(client))).toMatchObject({
        outcome: "lost",
        current: { epoch: 0 },
      });
    });

    it("lets exactly one of 50 of the same epoch win and shows the others the winner", async () => {
      const client = await enrol(store, 7);
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, n) => store.commit(commitFrom(client, { secret: secretOf(100 + n) }))),
      );
      const winner = outcomes.findIndex((one) => one.outcome === "done");
      expect(outcomes.filter((one) => one.outcome === "done")).toHaveLength(1);
      for (const [n, one] of outcomes.entries()) {
        if (n === winner) continue;
        expect(one).toMatchObject({
          outcome: "lost",
          current: { epoch: 1, secret: secretOf(100 + winner) },
        });
      }
      expect(await store.lookUp(client.clientId)).toMatchObject({
        epoch: 1,
        secret: secretOf(100 + winner),
      });
    });

    it("records a first packet: accepted, lastSeen, the window back to its default", async () => {
      const client = await enrol(store, 7);
      await made.setWindow?.(7, 4_096);
      made.setNow(5_000);
      await store.commit(commitFrom(client, { accepted: acceptedAt(0) }));
      expect(await store.get(client.clientId)).toMatchObject({
        accepted: acceptedAt(0),
        lastSeen: 5_000,
        window: DEFAULT_WINDOW,
      });
      expect(await store.lookUp(client.clientId)).toMatchObject({
        accepted: acceptedAt(0),
        window: DEFAULT_WINDOW,
      });
    });

    it("leaves accepted, lastSeen and the window as they are in a catch-up", async () => {
      const client = await enrol(store, 7);
      made.setNow(5_000);
      await store.commit(commitFrom(client));
      await made.setWindow?.(7, 4_096);
      const before = await store.get(client.clientId);
      made.setNow(9_000);
      const caughtUp = commitFrom({ ...client, epoch: 1 }, { to: 40, accepted: null });
      expect(await store.commit(caughtUp)).toEqual({ outcome: "done" });
      expect(await store.get(client.clientId)).toEqual({ ...before, epoch: 40, moved: 9_000 });
      expect(before?.window).toBe(made.setWindow === undefined ? DEFAULT_WINDOW : 4_096);
      expect(await store.lookUp(client.clientId)).toMatchObject({ epoch: 40, secret: secretOf(40) });
    });

    it("reaches the last epoch", async () => {
      const client = await enrol(store, 7);
      expect(await store.commit(commitFrom(client, { to: 0xffff_ffff }))).toEqual({ outcome: "done" });
      expect(await store.lookUp(client.clientId)).toMatchObject({ epoch: 0xffff_ffff });
    });

    it("refuses to stay, to go back, and a secret or a T of another length", async () => {
      const client = { ...(await enrol(store, 7)), epoch: epoch(3) };
      await expect(store.commit(commitFrom(client, { to: 3 }))).rejects.toThrow(RangeError);
      await expect(store.commit(commitFrom(client, { to: 2 }))).rejects.toThrow(RangeError);
      const short = commitFrom(client, { secret: new Uint8Array(31) });
      await expect(store.commit(short)).rejects.toMatchObject({ code: "PAWL_KEY" });
      const accepted = { epoch: epoch(3), t: new Uint8Array(15) };
      await expect(store.commit(commitFrom(client, { accepted }))).rejects.toThrow(RangeError);
    });

    it("takes each of a burst for many clients as if it came alone", async () => {
      const clients = await store.add(Array.from({ length: 40 }, (_, n) => newClient(n + 1)));
      const commits: Promise<CommitOutcome>[] = [];
      for (let step = 0; step < 5; step++) {
        for (const client of clients) {
          commits.push(store.commit(commitFrom({ ...client, epoch: step })));
          commits.push(store.commit(commitFrom({ ...client, epoch: step })));
        }
      }
      const outcomes = await Promise.all(commits);
      expect(outcomes.map((one) => one.outcome)).toEqual(
        outcomes.map((_, n) => (n % 2 === 0 ? "done" : "lost")),
      );
      for await (const info of store.list()) expect(info.epoch).toBe(5);
    });
  });
}

/** What goes in and comes out with a secret. */
export function secretConformance(current: () => StoreUnderTest): void {
  describe("secrets", () => {
    let store: KeyStore;
    beforeEach(() => {
      store = current().store;
    });

    it("are copied in and out", async () => {
      const given = secretOf(1);
      const next = secretOf(2);
      const t = acceptedAt(0);
      const client = await enrol(store, 7, { secret: given });
      given.fill(0);
      const first = await store.lookUp(client.clientId);
      expect(first?.secret).toEqual(secretOf(1));
      first?.secret.fill(0);
      expect((await store.lookUp(client.clientId))?.secret).toEqual(secretOf(1));

      const done = store.commit(commitFrom(client, { secret: next, accepted: t }));
      next.fill(0);
      t.t.fill(9);
      await done;
      const second = await store.lookUp(client.clientId);
      expect(second).toMatchObject({ secret: secretOf(2), accepted: acceptedAt(0) });
      second?.accepted?.t.fill(9);
      const lost = await store.commit(commitFrom(client));
      if (lost.outcome === "lost") lost.current?.secret.fill(0);
      const again = secretOf(3);
      expect(await store.lookUp(client.clientId)).toMatchObject({
        secret: secretOf(2),
        accepted: acceptedAt(0),
      });
      const reissued = store.reissue(client.clientId, again);
      again.fill(0);
      await reissued;
      expect((await store.lookUp(client.clientId))?.secret).toEqual(secretOf(3));
    });

    it("are not in what may be shown", async () => {
      await enrol(store, 7);
      const [shown] = await listed(store);
      expect(Object.keys(shown ?? {}).sort()).toEqual([
        "accepted",
        "clientId",
        "created",
        "epoch",
        "generation",
        "label",
        "lastSeen",
        "moved",
        "revoked",
        "suite",
        "window",
      ]);
    });

    it("have 32 bytes, but for the base key of classic", async () => {
      const short = new Uint8Array(7).fill(1);
      await expect(enrol(store, 7, { secret: short })).rejects.toMatchObject({ code: "PAWL_KEY" });
      const none = enrol(store, 7, { suite: CLASSIC, secret: new Uint8Array(0) });
      await expect(none).rejects.toMatchObject({ code: "PAWL_KEY" });
      const classic = await enrol(store, 7, { suite: CLASSIC, secret: short });
      expect(await store.lookUp(classic.clientId)).toMatchObject({ suite: CLASSIC, secret: short });
      await enrol(store, 8);
      await expect(store.reissue(clientId(8), short)).rejects.toMatchObject({ code: "PAWL_KEY" });
    });
  });
}
