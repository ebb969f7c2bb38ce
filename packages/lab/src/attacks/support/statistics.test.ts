import { describe, expect, it } from "vitest";
import { Seeded } from "./campaign.ts";
import { differenceOf, median, quantile } from "./statistics.ts";

/** Times of a victim: 100 µs and some noise, and now and then the machine has something else to do. */
function times(seed: number, count: number, more = 0): number[] {
  const random = new Seeded(seed);
  return Array.from(
    { length: count },
    () => 100 + more + random.next(20) + (random.next(10) === 0 ? 900 : 0),
  );
}

describe("the difference of two samples", () => {
  it("is none beyond chance where they are of one victim", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { medians, t } = differenceOf(times(seed, 150), times(seed + 1_000, 150));
      expect(Math.abs(t)).toBeLessThan(6);
      expect(Math.abs(medians)).toBeLessThan(6);
    }
  });

  it("is far beyond chance where one of them takes a little longer, whatever the tail does", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { medians, t } = differenceOf(times(seed, 150), times(seed + 1_000, 150, 15));
      expect(t).toBeGreaterThan(10);
      expect(medians).toBeGreaterThan(8);
    }
  });

  it("is not lost where all of one lie in the tail", () => {
    const late = times(3, 150).map((time) => time + 10_000);
    expect(differenceOf(times(4, 1_000), late)).toMatchObject({ t: Number.POSITIVE_INFINITY });
  });
});

describe("quantile", () => {
  it("is a value of the sample", () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(3);
    expect(quantile([1, 2, 3, 4], 1)).toBe(4);
    expect(quantile([], 0.5)).toBe(0);
  });
});

describe("median", () => {
  it("is the value in the middle, the upper one of two", () => {
    expect(median([1, 2, 30])).toBe(2);
    expect(median([1, 2, 30, 40])).toBe(30);
    expect(median([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).toBe(6);
  });
});
