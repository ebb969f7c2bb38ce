import { describe, expect, it } from "vitest";
import { Pool } from "./pool.ts";

function take(pool: Pool, length: number): Uint8Array {
  const at = pool.reserve(length);
  return pool.room.subarray(at, at + length);
}

describe("Pool", () => {
  it("gives the same memory to nobody twice", () => {
    const pool = new Pool();
    const taken = Array.from({ length: 1000 }, (_, i) => take(pool, i % 100).fill(1 + (i % 255)));
    for (const [i, bytes] of taken.entries()) {
      expect(bytes).toHaveLength(i % 100);
      expect([...bytes].filter((byte) => byte !== 1 + (i % 255))).toEqual([]);
    }
  });

  it("lets large requests have memory of their own, and goes on with its piece", () => {
    const pool = new Pool();
    const small = take(pool, 10).fill(1);
    const large = [4_097, 10_000, 100_000].map((length) => take(pool, length).fill(2));
    expect(large.map(({ length }) => length)).toEqual([4_097, 10_000, 100_000]);
    expect(new Set([small, ...large].map(({ buffer }) => buffer)).size).toBe(4);
    expect(take(pool, 10).fill(3).buffer).toBe(small.buffer);
    expect([...small]).toEqual(Array(10).fill(1));
  });

  it("gives out again what is given back, where it is large and fits", () => {
    const pool = new Pool();
    const large = take(pool, 20_000);
    pool.giveBack(large);
    const again = take(pool, 19_000);
    expect(again.buffer).toBe(large.buffer);
    // Once.
    expect(take(pool, 19_000).buffer).not.toBe(large.buffer);

    pool.giveBack(again);
    expect(take(pool, 20_001).buffer).not.toBe(large.buffer);
    pool.giveBack(take(pool, 1_000_000));
    expect(take(pool, 5_000).buffer.byteLength).toBeLessThan(20_000);
  });

  it("never gives out again what others have a part of", () => {
    const pool = new Pool();
    const [one, other] = [take(pool, 4_000), take(pool, 4_000).fill(1)];
    pool.giveBack(one);
    for (let i = 0; i < 100; i++) take(pool, 1 + i * 200).fill(2);
    expect([...other].every((byte) => byte === 1)).toBe(true);
  });

  it("keeps what it has when one piece is handed to a thread", () => {
    const pool = new Pool();
    const [one, other] = [take(pool, 10).fill(1), take(pool, 10).fill(2)];
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(one, [one.buffer as ArrayBuffer]);
    } catch (error) {
      // From Node.js 21 on it is an error; before, a copy is sent.
      expect(error).toMatchObject({ name: "DataCloneError" });
    }
    port1.close();
    port2.close();
    expect([...other]).toEqual(Array(10).fill(2));
  });
});
