import { systemClock } from "@pawl/protocol/driver";
import { expect, it } from "vitest";
import { createMemoryStore } from "./memory.ts";
import { storeConformance } from "./testing/conformance.ts";
import { commitFrom, enrol, secretOf } from "./testing/fixtures.ts";

storeConformance(
  "memory store",
  async () => {
    let now = 0;
    const store = createMemoryStore({ clock: { ...systemClock, now: () => now } });
    return {
      store,
      setNow: (ms) => {
        now = ms;
      },
      cleanup: () => store.close(),
    };
  },
  { durable: false },
);

it("draws generations from the random source it was given", async () => {
  const store = createMemoryStore({ random: (length) => new Uint8Array(length).fill(1) });
  expect((await enrol(store, 1)).generation).toBe(0x0101010101010101n);
});

it("starts with the system's time and randomness", async () => {
  const store = createMemoryStore();
  const before = Date.now();
  const [a, b] = [await enrol(store, 1), await enrol(store, 2)];
  expect(a.created).toBeGreaterThanOrEqual(before);
  expect(a.generation).not.toBe(b.generation);
  await store.commit(commitFrom(a, { secret: secretOf(9) }));
  expect((await store.lookUp(a.clientId))?.secret).toEqual(secretOf(9));
});
