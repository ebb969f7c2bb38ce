import type { ClientId, Epoch } from "@pawl/protocol";
import { EpochSecret, nodeCrypto, STRICT } from "@pawl/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limitKey } from "./address.ts";
import { HandshakeBuckets } from "./bucket.ts";
import { ChallengeBudget } from "./challenge-budget.ts";
import { Derivations } from "./derive.ts";
import { HalfOpenTable } from "./half-open.ts";
import { FakeClock } from "./testing/fake-clock.ts";

describe("limitKey", () => {
  it("is the address, or the /64 of an IPv6 one", () => {
    expect(limitKey("192.0.2.7")).toBe("192.0.2.7");
    expect(limitKey("::ffff:192.0.2.7")).toBe("192.0.2.7");
    expect(limitKey("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
    expect(limitKey("2001:0db8:0001:2::9")).toBe(limitKey("2001:db8:1:2:ffff::1"));
    expect(limitKey("2001:db8::1")).toBe("2001:db8:0:0::/64");
    expect(limitKey("::1")).toBe("0:0:0:0::/64");
    expect(limitKey("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  });
});

describe("HandshakeBuckets", () => {
  it("let a burst through, then so many a second, each address for itself", () => {
    const clock = new FakeClock();
    const buckets = new HandshakeBuckets(clock, 10, 3);
    const taken = (key: string, tries: number) =>
      Array.from({ length: tries }, () => buckets.take(key)).filter(Boolean);
    expect(taken("a", 5)).toHaveLength(3);
    expect(taken("b", 5)).toHaveLength(3);
    clock.advance(200);
    expect(taken("a", 5)).toHaveLength(2);
    clock.advance(10_000);
    expect(taken("a", 9)).toHaveLength(3);
    buckets.charge("a", 5);
    clock.advance(500);
    expect(taken("a", 1)).toHaveLength(0);
    clock.advance(100);
    expect(taken("a", 1)).toHaveLength(1);
  });

  it("remember a bounded number of addresses", () => {
    const buckets = new HandshakeBuckets(new FakeClock(), 1, 1);
    for (let i = 0; i < 12_000; i++) buckets.take(`address ${i}`);
    expect(buckets.size).toBe(10_000);
    expect(buckets.take("address 11999")).toBe(false);
  });
});

describe("HalfOpenTable", () => {
  const limits = { halfOpenPerAddress: 3, halfOpen: 5, halfOpenBytesPerAddress: 100, halfOpenBytes: 150 };

  it("evicts the oldest of an address, and the oldest of all", () => {
    const evicted: string[] = [];
    const table = new HalfOpenTable<{ name: string }>(limits, ({ name }, limit) =>
      evicted.push(`${name} ${limit}`),
    );
    const make = (name: string) => ({ name });
    const first = make("a1");
    for (const connection of [first, make("a2"), make("a3"), make("a4")]) table.add(connection, "a");
    expect(evicted).toEqual(["a1 address"]);
    for (const name of ["b1", "b2", "b3"]) table.add(make(name), "b");
    expect(evicted).toEqual(["a1 address", "a2 all"]);
    table.remove(first);
    expect(table.count).toBe(5);
  });

  it("counts bytes, and evicts for them", () => {
    const evicted: string[] = [];
    const table = new HalfOpenTable<{ name: string }>(limits, ({ name }, limit) =>
      evicted.push(`${name} ${limit}`),
    );
    const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];
    table.add(a, "x");
    table.add(b, "x");
    table.add(c, "y");
    table.hold(a, 60);
    table.hold(b, 60);
    expect(evicted).toEqual(["a address"]);
    expect(table.bytes).toBe(60);
    table.hold(c, 95);
    expect(evicted).toEqual(["a address", "b all"]);
    table.hold(a, 1_000);
    expect(table.bytes).toBe(95);
  });

  it("never holds more than its limits, whatever comes", () => {
    const step = fc.record({
      connection: fc.nat(20),
      address: fc.nat(3),
      bytes: fc.nat(80),
      remove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = new HalfOpenTable<object>(limits, () => {});
        const known = new Map<number, object>();
        for (const { connection, address, bytes, remove } of steps) {
          const object = known.get(connection) ?? {};
          if (!known.has(connection)) table.add(object, String(address));
          known.set(connection, object);
          if (remove) {
            table.remove(object);
            known.delete(connection);
          } else table.hold(object, bytes);
          expect(table.count).toBeLessThanOrEqual(limits.halfOpen);
          expect(table.bytes).toBeLessThanOrEqual(limits.halfOpenBytes);
          expect(table.bytes).toBeGreaterThanOrEqual(0);
        }
        for (const object of known.values()) table.remove(object);
        expect([table.count, table.bytes]).toEqual([0, 0]);
      }),
    );
  });
});

describe("ChallengeBudget", () => {
  it("slows down near the limit, until the epoch moves", () => {
    const budget = new ChallengeBudget(3);
    const [id, epoch] = [7 as ClientId, 4 as Epoch];
    for (let i = 0; i < 3; i++) {
      expect(budget.allows(id, epoch, 1_000)).toBe(true);
      budget.note(id, epoch, 1_000);
    }
    expect(budget.allows(id, epoch, 60_999)).toBe(false);
    expect(budget.allows(id, epoch, 61_000)).toBe(true);
    budget.note(id, epoch, 61_000);
    expect(budget.allows(id, epoch, 61_001)).toBe(false);
    expect(budget.allows(id, 5 as Epoch, 61_001)).toBe(true);
    budget.forget(id);
    expect(budget.allows(id, epoch, 61_001)).toBe(true);
  });
});

describe("Derivations", () => {
  it("give the same secret as one go, a few at a time, and overwrite what came in", async () => {
    const [clientId, from, to] = [7 as ClientId, 3 as Epoch, 1_503 as Epoch];
    const bytes = () => new Uint8Array(32).fill(9);
    const expected = new EpochSecret(nodeCrypto, STRICT, clientId, from, bytes()).forward(to).copy();
    const derivations = new Derivations(nodeCrypto);
    const secrets = [bytes(), bytes(), bytes(), bytes()];
    const results = await Promise.all(
      secrets.map((secret) => derivations.run({ type: "derive", suite: STRICT, clientId, from, to, secret })),
    );
    for (const result of results) expect(result).toEqual(expected);
    for (const secret of secrets) expect(secret).toEqual(new Uint8Array(32));
  });
});
