import type { ClientId, Epoch } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { AlarmRecorder } from "./alarms.ts";
import { EventBus, type PawlServerEvent } from "./events.ts";
import type { Alarm } from "./keys/alarm.ts";
import { FakeClock } from "./testing/fake-clock.ts";

const settled = () => new Promise(setImmediate);

function setUp() {
  const clock = new FakeClock();
  const bus = new EventBus(clock);
  const events: PawlServerEvent[] = [];
  bus.onAny((event) => events.push(event));
  const written: Alarm[] = [];
  const store = {
    broken: false,
    failures: 0,
    alarm: async (alarm: Alarm) => {
      if (store.broken) throw new Error("no space");
      written.push(alarm);
    },
  };
  const recorder = new AlarmRecorder(store, clock, bus, () => store.failures++);
  const origin = (address: string) => ({ connection: 1, remoteAddress: address });
  const stale = (id: number, address = "192.0.2.1") =>
    bus.emit({
      type: "stale-epoch",
      clientId: id as ClientId,
      epoch: 2 as Epoch,
      stored: 5 as Epoch,
      authenticated: false,
      ...origin(address),
    });
  const clone = (id: number) =>
    bus.emit({
      type: "clone-detected",
      clientId: id as ClientId,
      epoch: 4 as Epoch,
      stored: 5 as Epoch,
      authenticated: true,
      ...origin("192.0.2.9"),
    });
  const refused = (subject: "revoked" | "unknown" | null) =>
    bus.emit({
      type: "violation",
      code: "PAWL_IDENTITY",
      error: "IdentityError",
      phase: "looking-up",
      clientId: 7 as ClientId,
      epoch: 3 as Epoch,
      subject,
      authenticated: false,
      message: "",
      ...origin("192.0.2.2"),
    });
  const totals = () => written.map(({ clientId, kind, count }) => `${clientId} ${kind} ${count}`);
  return { clock, events, written, store, recorder, stale, clone, refused, totals };
}

describe("AlarmRecorder", () => {
  it("adds up what comes within a second, with the last address, each client and kind by itself", async () => {
    const { clock, written, stale, clone, totals } = setUp();
    for (let i = 0; i < 500; i++) stale(1, `192.0.2.${i % 250}`);
    stale(2);
    clone(1);
    clock.advance(999);
    await settled();
    expect(written).toEqual([]);
    clock.advance(1);
    await settled();
    expect(totals()).toEqual(["1 clone-detected 1", "1 stale-epoch 500", "2 stale-epoch 1"]);
    expect(written[1]).toEqual({
      clientId: 1,
      kind: "stale-epoch",
      count: 500,
      at: 0,
      remoteAddress: "192.0.2.249",
      epoch: 2,
      stored: 5,
    });
    expect(clock.pending).toBe(0);
    stale(1);
    clock.advance(1_000);
    await settled();
    expect(totals().at(-1)).toBe("1 stale-epoch 1");
  });

  it("counts HELLOs of revoked clients, and none of strangers", async () => {
    const { clock, written, refused } = setUp();
    refused("revoked");
    refused("unknown");
    refused(null);
    refused("revoked");
    clock.advance(1_000);
    await settled();
    expect(written).toMatchObject([
      { clientId: 7, kind: "revoked-hello", count: 2, epoch: 3, stored: null, remoteAddress: "192.0.2.2" },
    ]);
  });

  it("holds a bounded number, says what it had no room for, and keeps room for what is authentic", async () => {
    const { clock, events, written, stale, clone } = setUp();
    for (let id = 1; id <= 1_500; id++) stale(id);
    clone(2_000);
    clock.advance(1_000);
    for (let turn = 0; turn < 20; turn++) await settled();
    expect(written).toHaveLength(1_001);
    expect(written[0]).toMatchObject({ clientId: 2_000, kind: "clone-detected" });
    expect(events.filter(({ type }) => type === "alarms-unrecorded")).toMatchObject([{ count: 500 }]);
  });

  it("keeps what the store did not take, and loses no count", async () => {
    const { clock, store, written, stale, totals } = setUp();
    store.broken = true;
    stale(1);
    stale(2);
    clock.advance(1_000);
    await settled();
    stale(1, "192.0.2.77");
    clock.advance(1_000);
    await settled();
    expect([written.length, store.failures]).toEqual([0, 2]);
    store.broken = false;
    clock.advance(1_000);
    await settled();
    expect(totals().sort()).toEqual(["1 stale-epoch 2", "2 stale-epoch 1"]);
    expect(written.find(({ clientId }) => clientId === 1)?.remoteAddress).toBe("192.0.2.77");
  });

  it("writes what waits when it is closed, or says how much is lost", async () => {
    const { clock, recorder, stale, totals } = setUp();
    stale(1);
    await recorder.close();
    stale(1);
    expect([totals(), clock.pending]).toEqual([["1 stale-epoch 1"], 0]);

    const other = setUp();
    other.store.broken = true;
    for (let i = 0; i < 3; i++) other.stale(1);
    await other.recorder.close();
    expect(other.events.at(-1)).toMatchObject({ type: "alarms-unrecorded", count: 3 });
    expect(other.clock.pending).toBe(0);
  });
});
