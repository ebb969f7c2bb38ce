import { describe, expect, it } from "vitest";
import type { ServerHappening } from "./events.ts";
import { StoreHealth } from "./store-health.ts";
import { FakeClock } from "./testing/fake-clock.ts";

function setUp() {
  const clock = new FakeClock();
  const events: ServerHappening[] = [];
  const probes: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const probe = () => new Promise<void>((resolve, reject) => probes.push({ resolve, reject }));
  const health = new StoreHealth(probe, clock, { emit: (event) => events.push(event) });
  /** Answers the probe that is under way. */
  const answer = async (works: boolean) => {
    const last = probes.at(-1);
    if (works) last?.resolve();
    else last?.reject(new Error("no space"));
    await new Promise(setImmediate);
  };
  return { clock, events, probes, health, answer };
}

describe("StoreHealth", () => {
  it("is unavailable from a commit that fails to the first probe that works, and says each once", async () => {
    const { clock, events, probes, health, answer } = setUp();
    expect(health.available).toBe(true);
    health.commitFailed(new Error("disk full"));
    health.commitFailed(new Error("disk still full"));
    expect(health.available).toBe(false);
    expect(probes).toHaveLength(1);
    await answer(false);
    clock.advance(999);
    expect(probes).toHaveLength(1);
    clock.advance(1);
    expect(probes).toHaveLength(2);
    await answer(false);
    clock.advance(1_000);
    expect(health.available).toBe(false);
    await answer(true);
    expect(health.available).toBe(true);
    expect(events).toEqual([
      { type: "store-unavailable", message: "disk full" },
      { type: "store-available", downMs: 2_000 },
    ]);
    clock.advance(60_000);
    expect([probes.length, clock.pending]).toEqual([3, 0]);
  });

  it("goes on after a look-up that fails, unless the probe fails as well", async () => {
    const { clock, events, probes, health, answer } = setUp();
    health.suspect();
    expect([health.available, probes.length]).toEqual([true, 1]);
    await answer(true);
    expect([health.available, events]).toEqual([true, []]);
    clock.advance(1_000);
    health.suspect();
    await answer(false);
    expect(health.available).toBe(false);
    expect(events).toEqual([{ type: "store-unavailable", message: "no space" }]);
  });

  it("probes at most once a second, however many look-ups fail", async () => {
    const { clock, probes, health, answer } = setUp();
    for (let ms = 0; ms < 3_000; ms += 10) {
      health.suspect();
      await answer(true);
      clock.advance(10);
    }
    expect(probes).toHaveLength(3);
  });

  it("does not take a probe from before a failure for a sign of recovery", async () => {
    const { clock, probes, health, answer } = setUp();
    health.suspect();
    health.commitFailed(new Error("disk full"));
    await answer(true);
    expect(health.available).toBe(false);
    clock.advance(1_000);
    expect(probes).toHaveLength(2);
    await answer(true);
    expect(health.available).toBe(true);
  });

  it("is silent when it is stopped", async () => {
    const { clock, events, probes, health, answer } = setUp();
    health.commitFailed(new Error("disk full"));
    await answer(false);
    health.stop();
    clock.advance(10_000);
    health.commitFailed(new Error("closed"));
    expect([probes.length, clock.pending, events.length]).toEqual([1, 0, 1]);
  });
});
