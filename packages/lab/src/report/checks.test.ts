import { readFileSync } from "node:fs";
import { PROTOCOL_ERRORS } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { checkOf, describeRefusal } from "./checks.ts";
import { REFUSAL_COLUMNS } from "./draw.ts";

describe("checks", () => {
  it("have the numbers of the specification's table", () => {
    const text = readFileSync(new URL("../../../../docs/PROTOCOL.md", import.meta.url), "utf8");
    const table = text.slice(text.indexOf("### 1.3"), text.indexOf("## 2 "));
    const numbers = new Map<string, string[]>();
    for (const [, number = "", error = ""] of table.matchAll(/^\| (\S+) +\|.*\| `(\w+Error)` +\|/gm)) {
      numbers.set(error, [...(numbers.get(error) ?? []), number]);
    }
    expect(numbers.size).toBe(PROTOCOL_ERRORS.length);
    for (const [error, those] of numbers) {
      const number = those.join(" or ");
      expect([error, checkOf(error)?.number], error).toEqual([error, number === "–" ? null : number]);
    }
  });

  it("are there for every class that the wire can cause, and for no other", () => {
    for (const { name } of PROTOCOL_ERRORS) expect(checkOf(name), name).toBeDefined();
    expect(checkOf("toString")).toBeUndefined();
  });

  it("are told with their number", () => {
    expect(describeRefusal("HmacError")).toBe("HmacError — check 8: the tag");
    expect(describeRefusal("TruncationError")).toBe("TruncationError — section 2.4: no TERMINATE");
    expect(describeRefusal("TimeoutError")).toBe("TimeoutError");
  });

  it("have room in the narrowest diagram", () => {
    for (const { name } of PROTOCOL_ERRORS) {
      expect(describeRefusal(name).length, name).toBeLessThanOrEqual(REFUSAL_COLUMNS);
    }
  });
});
