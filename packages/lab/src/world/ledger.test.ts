import { describe, expect, it } from "vitest";
import { Ledger } from "./ledger.ts";
import { Primes } from "./primes.ts";

describe("Primes", () => {
  it("gives the primes in order", () => {
    const primes = new Primes();
    expect(Array.from({ length: 10 }, () => primes.next())).toEqual([2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
  });
});

describe("Ledger", () => {
  function ledgerOf(count: number): { ledger: Ledger; primes: number[] } {
    const ledger = new Ledger();
    return { ledger, primes: Array.from({ length: count }, () => ledger.issue()) };
  }

  it("reads off an aggregate who counted, told of it or not", () => {
    const { ledger, primes } = ledgerOf(4);
    const [a = 0, b = 0, c = 0, d = 0] = primes;
    expect(ledger.enter(1, String(a * b * c), [a, b])).toEqual([]);
    expect(ledger.enter(2, String(a * b), [a, b])).toEqual([]);
    expect(primes.map((prime) => ledger.counted(prime))).toEqual([2, 2, 1, 0]);
    expect(ledger.enter(3, String(d), [])).toEqual([]);
    expect(ledger.counted(d)).toBe(1);
  });

  it("counts a round once, however many were told of it, and compares what they were told", () => {
    const { ledger, primes } = ledgerOf(2);
    const [a = 0, b = 0] = primes;
    expect(ledger.enter(1, String(a * b), [a])).toEqual([]);
    expect(ledger.enter(1, String(a * b), [b])).toEqual([]);
    expect(ledger.counted(a)).toBe(1);
    expect(ledger.enter(1, String(a), [b])).toEqual([`round 1 was told as ${a * b} and as ${a}`]);
  });

  it("finds who is missing, who counted twice, and what nobody has sent", () => {
    const { ledger, primes } = ledgerOf(3);
    const [a = 0, b = 0, c = 0] = primes;
    expect(ledger.enter(1, String(a), [a, b])).toEqual([`round 1: the client of ${b} counted 0 times`]);
    expect(ledger.enter(2, String(a * a * b), [a, b])).toEqual([
      `round 2: the client of ${a} counted 2 times`,
    ]);
    expect(ledger.enter(3, String(a * c * c), [a])).toEqual([
      `round 3: the client of ${c} counted more than once`,
    ]);
    expect(ledger.counted(c)).toBe(2);
    expect(ledger.enter(4, String(a * 101), [a])).toEqual(["round 4: a factor 101 that nobody has sent"]);
    expect(ledger.enter(5, "0", [a])).toEqual([
      `round 5: the client of ${a} counted 0 times`,
      "round 5: a factor 0 that nobody has sent",
    ]);
    expect(ledger.enter(6, "null", [a])).toEqual(["round 6: the product null is no integer"]);
  });
});
