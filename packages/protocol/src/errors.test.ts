import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as errors from "./errors.ts";

const spec = new URL("../../../docs/PROTOCOL.md", import.meta.url);

describe("errors", () => {
  it("have stable codes, one each, and say whose fault it is", () => {
    const made = errors.PROTOCOL_ERRORS.map((Class) => new Class("what"));
    expect(new Set(made.map((error) => error.code)).size).toBe(made.length);
    for (const error of made) {
      expect(error).toBeInstanceOf(errors.ProtocolError);
      expect(error).not.toBeInstanceOf(errors.LocalError);
      expect(error.code).toMatch(/^PAWL_[A-Z_]+$/);
      expect(error.name).toMatch(/Error$/);
    }
    const local = new errors.MessageTooLargeError(10, 5);
    expect(local).toBeInstanceOf(errors.LocalError);
    expect(local).toMatchObject({
      length: 10,
      limit: 5,
      message: expect.stringContaining("limit of 5 bytes"),
    });
  });

  it("have every protocol code in the specification", () => {
    const text = readFileSync(spec, "utf8");
    for (const Class of errors.PROTOCOL_ERRORS) expect(text).toContain(new Class("").code);
  });
});
