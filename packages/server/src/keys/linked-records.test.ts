import { copyOf, wipe } from "@pawl/protocol";
import { systemClock } from "@pawl/protocol/driver";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { StoreError } from "./errors.ts";
import { LinkedRecords, type RecordsReply, type RecordsRequest } from "./linked-records.ts";
import { createMemoryStore } from "./memory.ts";
import { COMMIT_BYTES, commitOperation, packCommits, unpackCommits } from "./packed-commits.ts";
import { RecordsSeat } from "./records-seat.ts";
import { openSqliteRecords, openSqliteStore } from "./sqlite/open.ts";
import { newFolder } from "./sqlite/testing/stores.ts";
import type { Commit, CommitOutcome, KeyStore, RecordSource } from "./store.ts";
import { storeConformance } from "./testing/conformance.ts";
import { commitFrom, secretOf } from "./testing/fixtures.ts";
import { withMethods } from "./testing/with-methods.ts";

/** A store whose records another process writes, as far as those two can tell. */
function behindALink(store: KeyStore, source: RecordSource): KeyStore {
  const queue: (() => void)[] = [];
  const later = (what: () => void) => {
    if (queue.push(what) > 1) return;
    const next = () => {
      queue[0]?.();
      queue.shift();
      if (queue.length > 0) setImmediate(next);
    };
    setImmediate(next);
  };
  const inJson = <T>(message: T, deliver: (message: T) => void) => {
    const text = JSON.stringify(message);
    later(() => deliver(JSON.parse(text)));
  };
  let cut = 1;
  const linked: LinkedRecords = new LinkedRecords(source, systemClock, {
    // In pieces of which hardly one ends where a commit does.
    commits: (packed) => {
      for (let at = 0; at < packed.length; ) {
        cut = (cut * 7 + 3) % (2 * COMMIT_BYTES);
        const piece = copyOf(packed, at, at + 1 + cut);
        at += piece.length;
        later(() => seat.commits(piece));
      }
      wipe(packed);
    },
    send: (request) => inJson(request, (message) => seat.receive(message)),
  });
  const seat: RecordsSeat = new RecordsSeat(store, (reply) =>
    inJson(reply, (message) => linked.receive(message)),
  );
  // A server drains before it closes what it has its records from.
  const underWay = new Set<Promise<unknown>>();
  const counted = <T>(call: Promise<T>): Promise<T> => {
    underWay.add(call);
    return call.finally(() => underWay.delete(call));
  };
  return withMethods(store, {
    lookUp: (id) => counted(linked.lookUp(id)),
    commit: (change) => counted(linked.commit(change)),
    probe: () => counted(linked.probe()),
    close: async () => {
      await Promise.allSettled(underWay);
      await Promise.all([source.close(), store.close()]);
    },
  });
}

storeConformance(
  "memory store that is written over a link",
  async () => {
    let now = 0;
    const store = createMemoryStore({ clock: { ...systemClock, now: () => now } });
    return {
      store: behindALink(store, store),
      setNow: (ms) => {
        now = ms;
      },
      cleanup: () => store.close(),
    };
  },
  { durable: false },
);

storeConformance("SQLite store that is read beside it, and written over a link", async () => {
  const folder = await newFolder();
  let now = 0;
  const dbKeys = async () => [new Uint8Array(32).fill(7)];
  const options = { path: folder.path, dbKeys, clock: { ...systemClock, now: () => now } };
  const opened: KeyStore[] = [];
  const open = async () => {
    const store = await openSqliteStore({ ...options, create: true });
    const linked = behindALink(store, await openSqliteRecords(options));
    opened.push(linked);
    return linked;
  };
  const store = await open();
  return {
    store,
    setNow: (ms) => {
      now = ms;
    },
    reopen: async () => {
      await store.close();
      return open();
    },
    cleanup: async () => {
      for (const one of opened) await one.close();
      await folder.cleanup();
    },
  };
});

const CLIENT = { clientId: 7, generation: 1n } as Parameters<typeof commitFrom>[0];
const at = (epoch: number): Commit => commitFrom({ ...CLIENT, epoch });
const nowhere: RecordSource = { lookUp: async () => null, close: async () => {} };

/** What a server's side says. */
function serverSide() {
  const packed: Uint8Array[] = [];
  const requests: RecordsRequest[] = [];
  const records = new LinkedRecords(nowhere, new FakeClock(), {
    commits: (bytes) => packed.push(bytes),
    send: (request) => requests.push(request),
  });
  return { records, packed, requests };
}

/** What the key database's side says, and does with what it gets. */
function databaseSide(store: Pick<KeyStore, "commit" | "probe">) {
  const replies: RecordsReply[] = [];
  const seat = new RecordsSeat(store, (reply) => replies.push(reply));
  const chunkOf = (...commits: Commit[]) => packCommits(commits.map((one) => commitOperation(one, 0)));
  return { seat, replies, chunkOf };
}

const inTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("the server's side", () => {
  it("sends what is committed in one turn in one piece, which alone has the secrets", async () => {
    const { records, packed } = serverSide();
    const [one, other] = [at(0), at(1)];
    void records.commit(one);
    void records.commit(other);
    expect(packed).toEqual([]);
    await inTurn();
    void records.commit(at(2));
    await inTurn();
    const sent = packed.map((bytes) => unpackCommits(bytes).map(({ kind: _, at: __, ...commit }) => commit));
    expect(sent).toEqual([[one, other], [at(2)]]);
    for (const bytes of packed) expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  it("gives each answer to the commit and to the probe that it is for, in whatever order they come", async () => {
    const { records, requests } = serverSide();
    const commits = [0, 1, 2].map((epoch) => records.commit(at(epoch)));
    const probes = [records.probe(), records.probe()];
    const settled = Promise.allSettled([...commits, ...probes]);
    expect(requests).toEqual([
      { type: "probe", probe: 1 },
      { type: "probe", probe: 2 },
    ]);
    records.receive({ type: "commit-failed", commit: 3, message: "the disk is full" });
    records.receive({ type: "probed", probe: 2, failure: null });
    records.receive({ type: "committed", commit: 2, outcome: "lost" });
    records.receive({ type: "probed", probe: 1, failure: "the disk is full" });
    records.receive({ type: "committed", commit: 1, outcome: "done" });
    expect(await settled).toMatchObject([
      { value: { outcome: "done" } },
      { value: { outcome: "lost", current: null } },
      { reason: { code: "PAWL_STORE", message: "the disk is full" } },
      { reason: { code: "PAWL_STORE", message: "the disk is full" } },
      { status: "fulfilled" },
    ]);
  });
});

describe("the key database's side", () => {
  it("takes a stream that is cut anywhere, and leaves no secret where it lay", async () => {
    const epochs = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 6 });
    const cuts = fc.array(fc.integer({ min: 1, max: 3 * COMMIT_BYTES }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(epochs, cuts, async (list, lengths) => {
        const got: Commit[] = [];
        const { seat, replies, chunkOf } = databaseSide({
          commit: async ({ clientId, expected, next, accepted }) => {
            got.push({ clientId, expected, next: { ...next, secret: copyOf(next.secret) }, accepted });
            return { outcome: "done" };
          },
          probe: async () => {},
        });
        const stream = chunkOf(...list.map(at));
        const chunks: Uint8Array[] = [];
        for (let from = 0; from < stream.length; from += chunks.at(-1)?.length ?? 0)
          chunks.push(copyOf(stream, from, from + (lengths[chunks.length % lengths.length] ?? 1)));
        for (const chunk of chunks) seat.commits(chunk);
        await inTurn();
        expect(got).toEqual(list.map(at));
        expect(replies).toEqual(list.map((_, n) => ({ type: "committed", commit: n + 1, outcome: "done" })));
        const left = chunks.flatMap((chunk) => [...chunk]);
        // What every secret of these is filled with.
        expect(left.filter((byte) => byte === 0xa5)).toEqual([]);
      }),
    );
  });

  it("has commits under way side by side, and overwrites the secret of a record that it need not pass on", async () => {
    const current = { secret: secretOf(9) };
    const settle: ((outcome: CommitOutcome) => void)[] = [];
    const { seat, replies, chunkOf } = databaseSide({
      commit: () => new Promise((resolve) => settle.push(resolve)),
      probe: async () => {},
    });
    const chunk = chunkOf(at(0), at(1));
    seat.commits(chunk);
    expect(unpackCommits(chunk).map(({ next }) => next.secret)).toEqual([secretOf(1), secretOf(2)]);
    settle[1]?.({
      outcome: "lost",
      current: current as NonNullable<(CommitOutcome & { outcome: "lost" })["current"]>,
    });
    await inTurn();
    settle[0]?.({ outcome: "done" });
    await inTurn();
    expect(replies).toEqual([
      { type: "committed", commit: 2, outcome: "lost" },
      { type: "committed", commit: 1, outcome: "done" },
    ]);
    for (const secret of [current.secret, ...unpackCommits(chunk).map(({ next }) => next.secret)])
      expect(secret).toEqual(new Uint8Array(32));
  });

  it("says why it could not", async () => {
    const failure = new StoreError("the disk is full");
    const refuse = async () => {
      throw failure;
    };
    const { seat, replies, chunkOf } = databaseSide({ commit: refuse, probe: refuse });
    const chunk = chunkOf(at(0));
    seat.commits(chunk);
    seat.receive({ type: "probe", probe: 5 });
    await inTurn();
    expect(replies).toEqual([
      { type: "commit-failed", commit: 1, message: failure.message },
      { type: "probed", probe: 5, failure: failure.message },
    ]);
    expect(unpackCommits(chunk)[0]?.next.secret).toEqual(new Uint8Array(32));
  });
});
