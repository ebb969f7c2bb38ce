import { describe, expect, it } from "vitest";
import { Pool } from "./pool.ts";

describe("Pool", () => {
  it("gives the same memory to nobody twice, and it is empty", () => {
    const pool = new Pool();
    const taken = Array.from({ length: 1000 }, (_, i) => pool.take(i % 100));
    for (const [i, bytes] of taken.entries()) {
      expect([...bytes].filter((byte) => byte !== 0)).toEqual([]);
      bytes.fill(1 + (i % 255));
    }
    for (const [i, bytes] of taken.entries()) {
      expect(bytes).toHaveLength(i % 100);
      expect([...bytes].filter((byte) => byte !== 1 + (i % 255))).toEqual([]);
    }
  });

  it("lets large requests have memory of their own", () => {
    const large = new Pool().take(10_000);
    expect([large.length, large.buffer.byteLength]).toEqual([10_000, 10_000]);
  });

  it("keeps what it has when one piece is handed to a thread", () => {
    const pool = new Pool();
    const [one, other] = [pool.take(10).fill(1), pool.take(10).fill(2)];
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(one, [one.buffer as ArrayBuffer]);
    } catch (error) {
      // From Node.js 21 on it is an error; before, a copy is sent.
      expect(error).toMatchObject({ name: "DataCloneError" });
    }
    port1.close();
    port2.close();
    expect(other).toEqual(new Uint8Array(10).fill(2));
  });
});
