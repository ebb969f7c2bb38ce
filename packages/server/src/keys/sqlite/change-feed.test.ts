import { type ClientId, clientId, epoch } from "@pawl/protocol";
import { systemClock } from "@pawl/protocol/driver";
import { beforeEach, describe, expect, it } from "vitest";
import type { StoreChange } from "../store.ts";
import { ChangeFeed, type ClientState, POLL_MS } from "./change-feed.ts";

/** A database that others write, in memory, and a clock that moves when it is told to. */
class Source {
  readonly rows = new Map<ClientId, ClientState>();
  readonly timers: (() => void)[] = [];
  /** Of all clients. */
  reads = 0;
  /** Of one client. */
  readsOfOne = 0;
  versionNow: number | null = 1;
  failure: Error | null = null;
  readonly feed = new ChangeFeed(
    {
      pages: () => {
        this.reads++;
        if (this.failure !== null) throw this.failure;
        const rows = [...this.rows];
        return rows.length === 0 ? [] : [rows.slice(0, 1), rows.slice(1)];
      },
      one: (id) => {
        this.readsOfOne++;
        return this.rows.get(id) ?? null;
      },
      version: async () => {
        if (this.versionNow === -1) throw new Error("closed");
        return this.versionNow;
      },
    },
    {
      ...systemClock,
      after: (ms, callback) => {
        expect(ms).toBe(POLL_MS);
        this.timers.push(callback);
        return () => {
          const at = this.timers.indexOf(callback);
          if (at >= 0) this.timers.splice(at, 1);
        };
      },
    },
  );

  set(id: number, at: number, generation = 1n): void {
    this.rows.set(clientId(id), { generation, epoch: epoch(at), revoked: false });
  }

  async poll(): Promise<void> {
    for (const callback of this.timers.splice(0)) callback();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

const stateAt = (at: number): ClientState => ({ generation: 1n, epoch: epoch(at), revoked: false });

let source: Source;
let told: StoreChange[];
beforeEach(() => {
  source = new Source();
  told = [];
});
const listen = (change: StoreChange) => void told.push(change);
const epochs = () => told.map(({ clientId: id, now }) => [id, now?.epoch ?? null]);

describe("ChangeFeed", () => {
  it("tells what others changed, added and removed, and not what was there", async () => {
    source.set(1, 5);
    source.set(2, 5);
    source.feed.watch(listen);
    await source.poll();
    expect(told).toEqual([]);
    source.set(1, 6);
    source.set(3, 0);
    source.rows.delete(clientId(2));
    source.versionNow = 2;
    await source.poll();
    expect(epochs()).toEqual([
      [1, 6],
      [3, 0],
      [2, null],
    ]);
  });

  it("reads nothing while nobody else has written", async () => {
    source.feed.watch(listen);
    await source.poll();
    const { reads } = source;
    await source.poll();
    await source.poll();
    expect(source.reads).toBe(reads);
    source.versionNow = null;
    await source.poll();
    expect(source.reads).toBe(reads + 1);
  });

  it("tells a change once, whichever comes first: the poll or the acknowledgement", async () => {
    source.set(1, 0);
    source.feed.watch(listen);
    source.set(1, 1);
    source.feed.changed(clientId(1));
    source.versionNow = 2;
    await source.poll();
    source.set(1, 2);
    source.versionNow = 3;
    await source.poll();
    source.feed.changed(clientId(1));
    expect(epochs()).toEqual([
      [1, 1],
      [1, 2],
    ]);
  });

  it("tells a new generation at the same epoch, and a revocation", () => {
    source.set(1, 4);
    source.feed.watch(listen);
    source.set(1, 4, 2n);
    source.feed.changed(clientId(1));
    source.rows.set(clientId(1), { generation: 2n, epoch: epoch(4), revoked: true });
    source.feed.changed(clientId(1));
    expect(told.map(({ now }) => [now?.generation, now?.revoked])).toEqual([
      [2n, false],
      [2n, true],
    ]);
  });

  it("reads nothing after a move from what it told last", async () => {
    source.set(1, 4);
    source.feed.watch(listen);
    source.set(1, 5);
    source.feed.moved(clientId(1), stateAt(4), epoch(5));
    source.set(1, 6);
    source.feed.moved(clientId(1), stateAt(5), epoch(6));
    source.versionNow = 2;
    await source.poll();
    expect(epochs()).toEqual([
      [1, 5],
      [1, 6],
    ]);
    expect(source.readsOfOne).toBe(0);
  });

  it("does not go back to a move that is acknowledged after another's change was told", async () => {
    source.set(1, 4);
    source.feed.watch(listen);
    source.rows.set(clientId(1), { generation: 2n, epoch: epoch(5), revoked: true });
    source.versionNow = 2;
    await source.poll();
    source.feed.moved(clientId(1), stateAt(4), epoch(5));
    expect(told.map(({ now }) => [now?.generation, now?.revoked])).toEqual([[2n, true]]);
  });

  it("tells a move, then what another made of it before it was acknowledged", async () => {
    source.set(1, 4);
    source.feed.watch(listen);
    source.set(1, 0, 2n);
    source.feed.moved(clientId(1), stateAt(4), epoch(5));
    source.versionNow = 2;
    await source.poll();
    expect(told.map(({ now }) => [now?.generation, now?.epoch])).toEqual([
      [1n, 5],
      [2n, 0],
    ]);
  });

  it("is idle while nobody watches, and starts anew", async () => {
    source.set(1, 0);
    const stop = source.feed.watch(listen);
    expect(source.timers).toHaveLength(1);
    stop();
    expect(source.timers).toHaveLength(0);
    source.set(1, 9);
    source.feed.changed(clientId(1));
    source.feed.moved(clientId(1), stateAt(0), epoch(9));
    source.feed.watch(listen);
    source.versionNow = 2;
    await source.poll();
    expect(told).toEqual([]);
    expect(source.timers).toHaveLength(1);
  });

  it("does not go on when it was stopped while it asked", async () => {
    const stop = source.feed.watch(listen);
    const polling = source.poll();
    stop();
    await polling;
    expect(source.timers).toHaveLength(0);
  });

  it("tries again after a read that failed, and ends with its store", async () => {
    source.set(1, 0);
    source.feed.watch(listen);
    source.set(1, 1);
    source.failure = new Error("busy");
    await source.poll();
    expect(told).toEqual([]);
    source.failure = null;
    await source.poll();
    expect(epochs()).toEqual([[1, 1]]);
    source.versionNow = -1;
    await source.poll();
    expect(source.timers).toHaveLength(0);
  });

  it("tells nobody once it is closed", async () => {
    source.set(1, 0);
    source.feed.watch(listen);
    source.feed.close();
    source.set(1, 1);
    source.feed.changed(clientId(1));
    await source.poll();
    expect(told).toEqual([]);
  });
});
