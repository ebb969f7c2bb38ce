import { describe, expect, it } from "vitest";
import { chosen } from "./choose.ts";

describe("names of cells and targets", () => {
  const all = ["one", "two", "three"];

  it("are all unless some are named, in their own order, also as a list with commas", () => {
    expect(chosen("cell", undefined, all)).toEqual(all);
    expect(chosen("cell", ["three, one", "one"], all)).toEqual(["one", "three"]);
  });

  it.each(["four", "", "one,", "One"])("that do not exist are said, with those that do: %j", (name) => {
    expect(() => chosen("cell", [name], all)).toThrow(/^no cell is called ".*"; there are one, two, three$/);
  });
});
