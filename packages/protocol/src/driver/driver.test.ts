import { once } from "node:events";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { type Clock, systemClock, timersBy } from "./clock.ts";
import { halfCloseAndDrain } from "./drain.ts";
import { pooledRandom, systemRandom } from "./random.ts";
import { sendFrame } from "./send-frame.ts";
import { socketPair } from "./testing/socket-pair.ts";

describe("systemClock", () => {
  it("calls back once, unless it was cancelled", async () => {
    const before = systemClock.now();
    let [called, cancelled] = [0, 0];
    systemClock.after(1_000_000, () => cancelled++)();
    await new Promise<void>((resolve) =>
      systemClock.after(1, () => {
        called++;
        resolve();
      }),
    );
    expect([called, cancelled]).toEqual([1, 0]);
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
  });

  it("waits for longer than one time-out of Node.js can", () => {
    vi.useFakeTimers();
    try {
      const days = 24 * 3_600_000;
      let [called, cancelled] = [0, 0];
      const cancel = systemClock.after(90 * days, () => cancelled++);
      systemClock.after(60 * days, () => called++);
      vi.advanceTimersByTime(60 * days - 1);
      expect(called).toBe(0);
      vi.advanceTimersByTime(1);
      expect(called).toBe(1);
      cancel();
      vi.advanceTimersByTime(60 * days);
      expect([called, cancelled, vi.getTimerCount()]).toEqual([1, 0, 0]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a timer of systemClock", () => {
  it.each([
    ["within one time-out of Node.js", 1_000],
    ["beyond it", 60 * 24 * 3_600_000],
  ])("calls back once after its last restart, %s", (_, ms) => {
    vi.useFakeTimers();
    try {
      let called = 0;
      const timer = systemClock.timer(ms, () => called++);
      for (let i = 0; i < 3; i++) {
        vi.advanceTimersByTime(ms - 1);
        timer.restart();
      }
      expect(called).toBe(0);
      vi.advanceTimersByTime(1 + ms - 1);
      expect(called).toBe(1);
      vi.advanceTimersByTime(2 * ms);
      expect(called).toBe(1);
      timer.restart();
      vi.advanceTimersByTime(ms);
      expect(called).toBe(2);
      timer.restart();
      timer.cancel();
      vi.advanceTimersByTime(2 * ms);
      expect([called, vi.getTimerCount()]).toEqual([2, 0]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("sendFrame", () => {
  function sending(highWaterMark: number) {
    const calls: number[] = [];
    const given: Uint8Array[] = [];
    let taken: () => void = () => {};
    const stream = new Duplex({
      highWaterMark,
      read: () => {},
      write: (chunk: Uint8Array, _encoding, callback) => {
        calls.push(chunk.length);
        if (chunk.length < 100) callback();
        else taken = callback;
      },
    });
    const crypto = { ...nodeCrypto, recycle: (frame: Uint8Array) => given.push(frame) };
    // Nothing of a socket is used that a stream has not.
    const send = (frame: Uint8Array) => sendFrame(stream as Socket, frame, crypto);
    return { calls, given, stream, send, take: () => taken() };
  }

  it("gives memory back when the system has taken the frame, and not while it waits", () => {
    const { calls, given, send, take } = sending(150);
    const small = new Uint8Array(10);
    expect(send(small)).toBe(true);
    expect(given).toEqual([small]);
    const waits = new Uint8Array(100);
    expect(send(waits)).toBe(true);
    expect(send(new Uint8Array(60))).toBe(false);
    expect(given).toHaveLength(1);
    take();
    expect([calls, given.length]).toEqual([[10, 100, 60], 1]);
  });

  it("writes nothing to a connection that is gone", () => {
    const { calls, given, stream, send } = sending(10);
    stream.destroy();
    expect(send(new Uint8Array(5))).toBe(true);
    expect([calls, given]).toEqual([[], []]);
  });
});

describe("systemRandom", () => {
  it("gives as many bytes as asked for, never the same, from the pool or past it", () => {
    const random = pooledRandom();
    const seen = new Set<string>();
    for (let i = 0; i < 2_000; i++) {
      const bytes = random(16);
      expect(bytes).toHaveLength(16);
      seen.add(bytes.toString());
    }
    expect(seen.size).toBe(2_000);
    expect(systemRandom(100_000).some((byte) => byte !== 0)).toBe(true);
    expect(systemRandom(0)).toHaveLength(0);
  });
});

describe("halfCloseAndDrain", () => {
  it("lets the last bytes arrive although input is unread", async () => {
    const { client: a, accepted: b, done } = await socketPair();
    const got: Buffer[] = [];
    a.on("data", (chunk: Buffer) => got.push(chunk));
    a.write(Buffer.alloc(200_000));
    b.write("goodbye");
    halfCloseAndDrain(b, systemClock);
    await once(a, "end");
    expect(Buffer.concat(got).toString()).toBe("goodbye");
    a.end();
    if (!b.destroyed) await once(b, "close");
    done();
  });

  it("destroys the connection when the other side does not close in time", async () => {
    const { client: a, accepted: b, done } = await socketPair();
    const due: (() => void)[] = [];
    const after: Clock["after"] = (_ms, callback) => {
      due.push(callback);
      return () => {};
    };
    const clock: Clock = { now: () => 0, elapsed: () => 0, after, timer: timersBy(after) };
    a.on("error", () => {});
    halfCloseAndDrain(b, clock);
    await sleep(20);
    expect(b.destroyed).toBe(false);
    for (const callback of due) callback();
    expect(b.destroyed).toBe(true);
    halfCloseAndDrain(b, clock);
    expect(due).toHaveLength(1);
    done();
  });
});
