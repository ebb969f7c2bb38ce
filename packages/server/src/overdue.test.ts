import { CLASSIC, type ClientId, clientId, epoch, STRICT } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { EventBus, type PawlServerEvent } from "./events.ts";
import { createMemoryStore, type KeyStore } from "./keys/index.ts";
import { OverdueWatch } from "./overdue.ts";
import { FakeClock } from "./testing/fake-clock.ts";

const HOUR = 3_600_000;
const turns = async (count = 3) => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};

async function setUp(count: number, options: { list?: KeyStore["list"] } = {}) {
  const clock = new FakeClock();
  const bus = new EventBus(clock);
  const events: PawlServerEvent[] = [];
  bus.onAny((event) => events.push(event));
  const keys = createMemoryStore({ clock });
  const secret = new Uint8Array(32).fill(1);
  const ids = Array.from({ length: count }, (_, index) => clientId(index + 1));
  await keys.add(ids.map((id) => ({ clientId: id, suite: STRICT, secret })));
  const watch = new OverdueWatch({ list: options.list ?? (() => keys.list()) }, clock, bus, 10 * HOUR);
  const move = async (id: ClientId) => {
    const record = await keys.lookUp(id);
    if (record === null) throw new RangeError(`no client ${id}`);
    const { generation, epoch: from } = record;
    await keys.commit({
      clientId: id,
      expected: { generation, epoch: from },
      next: { epoch: epoch(from + 1), secret },
      accepted: null,
    });
  };
  const told = () =>
    events.flatMap((event) => (event.type === "overdue" ? [`${event.clientId} ${event.movedAt}`] : []));
  return { clock, events, keys, watch, move, told };
}

describe("OverdueWatch", () => {
  it("tells of each client once, within an hour, and again only after it has moved", async () => {
    const { clock, watch, move, told } = await setUp(2);
    clock.advance(10 * HOUR - 1);
    watch.start();
    await turns();
    expect(told()).toEqual([]);
    await move(clientId(2));
    clock.advance(HOUR);
    await turns();
    expect(told()).toEqual(["1 0"]);
    for (let hour = 0; hour < 8; hour++) {
      clock.advance(HOUR);
      await turns();
    }
    expect(told()).toEqual(["1 0"]);
    clock.advance(HOUR);
    await turns();
    expect(told()).toEqual(["1 0", `2 ${10 * HOUR - 1}`]);
    await move(clientId(1));
    for (let hour = 0; hour < 11; hour++) {
      clock.advance(HOUR);
      await turns();
    }
    expect(told()).toHaveLength(3);
    await watch.stop();
  });

  it("passes over revoked clients, and those of classic, which have no epochs", async () => {
    const { clock, keys, watch, told } = await setUp(2);
    await keys.add([{ clientId: clientId(3), suite: CLASSIC, secret: new Uint8Array(7) }]);
    await keys.revoke(clientId(1), "lost");
    clock.advance(20 * HOUR);
    watch.start();
    await turns();
    expect(told()).toEqual(["2 0"]);
    await watch.stop();
  });

  it("lets others have their turn while it walks a large fleet", async () => {
    const { clock, watch, told } = await setUp(2_000);
    clock.advance(20 * HOUR);
    watch.start();
    const progress: number[] = [];
    while (told().length < 2_000) {
      await turns(1);
      progress.push(told().length);
    }
    expect(progress.length).toBeGreaterThan(5);
    expect(progress[0]).toBeLessThan(600);
    await watch.stop();
  });

  it("goes on in an hour after the store failed, and ends when it is stopped", async () => {
    let broken = true;
    const inner = await setUp(3);
    async function* list() {
      for await (const client of inner.keys.list()) {
        if (broken && client.clientId === 2) throw new Error("no disk");
        yield client;
      }
    }
    const { clock, events, watch, told } = await setUp(0, { list });
    clock.advance(20 * HOUR);
    watch.start();
    await turns();
    expect(told()).toEqual(["1 0"]);
    expect(events.at(-1)).toMatchObject({ type: "store-error", operation: "list", message: "no disk" });
    broken = false;
    clock.advance(HOUR);
    await turns();
    expect(told()).toEqual(["1 0", "2 0", "3 0"]);
    await watch.stop();
    expect(clock.pending).toBe(0);
  });
});
