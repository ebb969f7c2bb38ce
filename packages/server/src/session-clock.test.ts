import { describe, expect, it } from "vitest";
import { SessionClock, type SessionTimes } from "./session-clock.ts";
import { FakeClock } from "./testing/fake-clock.ts";

function start(times: SessionTimes) {
  const clock = new FakeClock();
  const told: [string, number][] = [];
  const session = new SessionClock(clock, times, {
    idle: () => told.push(["idle", clock.now()]),
    old: () => told.push(["old", clock.now()]),
  });
  return { clock, told, session };
}

describe("SessionClock", () => {
  it("tells of silence, measured from the last message, with one timer", () => {
    const { clock, told, session } = start({ idleMs: 100, maxAgeMs: null });
    for (let i = 0; i < 5; i++) {
      clock.advance(99);
      session.touch();
      expect(clock.pending).toBe(1);
    }
    clock.advance(99);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual([["idle", 595]]);
    expect(clock.pending).toBe(0);
  });

  it("heeds no clock that is set", () => {
    for (const by of [-10_000_000, 10_000_000]) {
      const { clock, told, session } = start({ idleMs: 100, maxAgeMs: 250 });
      const since = clock.elapsed();
      for (let i = 0; i < 4; i++) {
        clock.advance(60);
        session.touch();
      }
      clock.set(by);
      session.touch();
      clock.advance(9);
      expect(told).toEqual([]);
      clock.advance(1);
      expect(told.map(([what]) => what)).toEqual(["old"]);
      clock.advance(90);
      expect(told.map(([what]) => what)).toEqual(["old", "idle"]);
      expect(clock.elapsed() - since).toBe(340);
    }
  });

  it("tells once that the session is old, and goes on to watch for silence", () => {
    const { clock, told, session } = start({ idleMs: 100, maxAgeMs: 250 });
    for (let i = 0; i < 10; i++) {
      clock.advance(60);
      session.touch();
    }
    expect(told).toEqual([["old", 250]]);
    clock.advance(100);
    expect(told).toEqual([
      ["old", 250],
      ["idle", 700],
    ]);
  });

  it("says nothing when it is stopped, also while it is told of its age", () => {
    const { clock, told, session } = start({ idleMs: 100, maxAgeMs: 50 });
    session.stop();
    clock.advance(1_000);
    expect([told, clock.pending]).toEqual([[], 0]);

    const ended: SessionClock = new SessionClock(
      clock,
      { idleMs: 100, maxAgeMs: 50 },
      {
        idle: () => expect.unreachable(),
        old: () => ended.stop(),
      },
    );
    clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });
});
