import { describe, expect, it } from "vitest";
import {
  CLASSIC,
  firstMessageLimit,
  isPossibleLength,
  packetBytes,
  packetLimit,
  STRICT,
  STRICT_GCM,
  SUITES,
  suiteById,
  suiteByName,
} from "./suites.ts";

describe("suites", () => {
  it("are found by id and by name, and no others", () => {
    for (const suite of SUITES) {
      expect(suiteById(suite.id)).toBe(suite);
      expect(suiteByName(suite.name)).toBe(suite);
    }
    expect(suiteById(0)).toBeUndefined();
    expect(suiteById(4)).toBeUndefined();
    expect(suiteByName("none")).toBeUndefined();
  });

  it("have the packet lengths of section 1", () => {
    expect([0, 15, 16].map((n) => packetBytes(STRICT, n))).toEqual([80, 80, 96]);
    expect([1, 16].map((n) => packetBytes(STRICT_GCM, n))).toEqual([45, 60]);
    for (const suite of SUITES) {
      for (let n = suite === STRICT_GCM ? 1 : 0; n < 70; n++) {
        expect(isPossibleLength(suite, packetBytes(suite, n))).toBe(true);
      }
    }
    expect([79, 81, 64].some((n) => isPossibleLength(CLASSIC, n))).toBe(false);
    expect(isPossibleLength(STRICT_GCM, 44)).toBe(false);
  });

  it("have the limits of section 1", () => {
    expect(
      [CLASSIC, STRICT, STRICT_GCM].map((suite) => packetLimit(suite, firstMessageLimit(1 << 20))),
    ).toEqual([16_464, 16_464, 16_429]);
    expect(firstMessageLimit(4096)).toBe(4096);
  });
});
