import { describe, expect, it } from "vitest";
import { EventBus, EventRelay, type PawlServerEvent } from "./events.ts";
import { FakeClock } from "./testing/fake-clock.ts";

describe("EventBus", () => {
  it("gives each listener its type, with the time, until it leaves", () => {
    const clock = new FakeClock();
    const bus = new EventBus(clock);
    const [closing, all]: [PawlServerEvent[], PawlServerEvent[]] = [[], []];
    expect(bus.wants("closing")).toBe(false);
    const leave = bus.on("closing", (event) => closing.push(event));
    bus.onAny((event) => all.push(event));
    clock.advance(5);
    bus.emit({ type: "closing" });
    bus.emit({ type: "closed" });
    leave();
    bus.emit({ type: "closing" });
    expect(closing).toEqual([{ type: "closing", at: 5 }]);
    expect(all.map(({ type }) => type)).toEqual(["closing", "closed", "closing"]);
    expect(bus.wants("round")).toBe(true);
  });

  it("goes on when a listener throws, and says so once", () => {
    const bus = new EventBus(new FakeClock());
    const seen: string[] = [];
    bus.onAny(() => {
      throw new Error("broken");
    });
    bus.onAny(({ type }) => seen.push(type));
    bus.emit({ type: "closing" });
    expect(seen).toEqual(["listener-error", "closing"]);
  });
});

describe("an interest", () => {
  it("is in what somebody listens to, and in no more", () => {
    const bus = new EventBus(new FakeClock());
    const changes: unknown[] = [];
    expect(bus.interest).toEqual({ types: [], allBut: null });
    bus.watchInterest(() => changes.push(bus.interest));
    const leave = bus.on("message", () => {});
    const leaveAll = bus.onAny(() => {}, { except: ["message", "round"] });
    bus.onAny(() => {}, { except: ["message", "round", "closed"] });
    expect([bus.wants("message"), bus.wants("round"), bus.wants("closed")]).toEqual([true, false, true]);
    leave();
    leaveAll();
    expect(changes).toEqual([
      { types: ["message"], allBut: null },
      { types: ["message"], allBut: ["round"] },
      { types: ["message"], allBut: ["round"] },
      { types: [], allBut: ["message", "round"] },
      { types: [], allBut: ["message", "round", "closed"] },
    ]);
  });

  it("is followed by a relay, which passes on each event once", () => {
    const bus = new EventBus(new FakeClock());
    const passed: string[] = [];
    const relay = new EventRelay(bus, ({ type }) => passed.push(type));
    const emitAll = () => {
      for (const type of ["closing", "closed"] as const) bus.emit({ type });
      return passed.splice(0);
    };
    expect(emitAll()).toEqual([]);
    relay.follow({ types: ["closing"], allBut: null });
    expect(emitAll()).toEqual(["closing"]);
    relay.follow({ types: ["closing"], allBut: ["closed"] });
    expect(emitAll()).toEqual(["closing"]);
    relay.follow({ types: [], allBut: [] });
    expect(emitAll()).toEqual(["closing", "closed"]);
    relay.follow({ types: [], allBut: null });
    expect(emitAll()).toEqual([]);
  });
});
