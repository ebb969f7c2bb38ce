import { describe, expect, it } from "vitest";
import { EventBus, type PawlServerEvent } from "./events.ts";
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
