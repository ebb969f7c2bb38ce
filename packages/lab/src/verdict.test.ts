import { expect, it } from "vitest";
import type { Case } from "./attack.ts";
import { isGood, type Verdict, verdictOf, verdictOfAll } from "./verdict.ts";

const one = (more: Partial<Case> = {}): Case => ({
  name: "",
  did: "it",
  happened: "so",
  worked: false,
  refusedBy: "HmacError",
  due: ["HmacError"],
  recording: null,
  ...more,
});

it("holds what failed, and breaks what worked and must not", () => {
  expect(verdictOf(one(), "fails", true)).toBe("held");
  expect(verdictOf(one({ worked: true }), "fails", true)).toBe("broken");
  expect(verdictOf(one({ worked: true }), "works", true)).toBe("shown");
  expect(verdictOf(one(), "works", true)).toBe("not-shown");
});

it("lets a case have an expectation of its own", () => {
  expect(verdictOf(one({ worked: true, expected: "works" }), "fails", true)).toBe("shown");
  expect(verdictOf(one({ worked: true, expected: "fails" }), "works", true)).toBe("broken");
});

it("compares the victim's own words where they are known, and never judges by them", () => {
  expect(verdictOf(one({ refusedBy: "FormatError" }), "fails", true)).toBe("disagrees");
  expect(verdictOf(one({ refusedBy: null }), "fails", true)).toBe("disagrees");
  expect(verdictOf(one({ refusedBy: null }), "fails", false)).toBe("held");
  expect(verdictOf(one({ refusedBy: null, due: null }), "fails", true)).toBe("held");
  expect(verdictOf(one({ worked: true }), "fails", false)).toBe("broken");
});

it("takes the worst of all cases", () => {
  const of = (...verdicts: Verdict[]) => verdicts.map((verdict) => ({ verdict }));
  expect(verdictOfAll(of("held", "shown"), "fails", false)).toBe("held");
  expect(verdictOfAll(of("held", "shown"), "works", false)).toBe("shown");
  expect(verdictOfAll(of("held", "disagrees", "not-shown"), "fails", false)).toBe("not-shown");
  expect(verdictOfAll(of("held", "broken"), "fails", true)).toBe("broken");
  expect(verdictOfAll(of("held"), "fails", true)).toBe("error");
  expect(verdictOfAll([], "fails", false)).toBe("error");
  const bad: Verdict[] = ["broken", "not-shown", "disagrees", "error"];
  expect(bad.filter(isGood)).toEqual([]);
});
