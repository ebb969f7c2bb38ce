import { describe, expect, it } from "vitest";
import { regenerate, VECTOR_FILES } from "./regenerate.ts";

describe("the vector files, made again by this code", () => {
  it.each(VECTOR_FILES)("%s.json is the same byte for byte", (name) => {
    const { stored, made } = regenerate(name);
    const [before, after] = [stored.split("\n"), made.split("\n")];
    expect(after.filter((line, i) => line !== before[i])).toEqual([]);
    expect(made === stored).toBe(true);
  });
});
