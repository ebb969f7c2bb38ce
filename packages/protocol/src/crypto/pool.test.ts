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
    const large = take(pool, 10_000).fill(2);
    expect([large.length, large.buffer.byteLength]).toEqual([10_000, 10_000]);
    expect(take(pool, 10).fill(3).buffer).toBe(small.buffer);
    expect([...small]).toEqual(Array(10).fill(1));
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
