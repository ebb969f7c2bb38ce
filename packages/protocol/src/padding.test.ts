import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "./errors.ts";
import { formatPadding, type PaddingPolicy, paddedLength, parsePadding, unwrap, wrap } from "./padding.ts";

const policy: fc.Arbitrary<PaddingPolicy> = fc.oneof(
  fc.constant({ kind: "none" as const }),
  fc.constant({ kind: "pow2" as const }),
  fc.integer({ min: 1, max: 65_536 }).map((size) => ({ kind: "block" as const, size })),
);

describe("padding", () => {
  it("is within the limit, long enough, and hides no more than it says", () => {
    fc.assert(
      fc.property(policy, fc.nat(20_000), fc.nat(20_000), (p, a, b) => {
        const [length, limit] = [Math.min(a, b), Math.max(a, b)];
        const padded = paddedLength(p, length, limit);
        expect(padded).toBeGreaterThanOrEqual(length + 1);
        expect(padded).toBeLessThanOrEqual(limit + 1);
        if (p.kind === "none") expect(padded).toBe(length + 1);
        if (padded < limit + 1 && p.kind === "block") expect(padded % p.size).toBe(0);
        if (padded < limit + 1 && p.kind === "pow2") expect(Number.isInteger(Math.log2(padded))).toBe(true);
      }),
    );
  });

  it("unwraps what it wrapped, whatever the policy: a receiver need not know it", () => {
    fc.assert(
      fc.property(policy, fc.uint8Array({ maxLength: 300 }), fc.boolean(), (p, message, cover) => {
        const kind = cover ? "cover" : "message";
        const out = unwrap(wrap(message, kind, paddedLength(p, message.length, 1 << 20)));
        expect({ message: Uint8Array.from(out.message), kind: out.kind }).toEqual({ message, kind });
      }),
    );
  });

  it("refuses a plaintext without a kind", () => {
    for (const bad of [[], [0], [0, 0, 0], [1, 2, 3], [1, 0xff, 0]]) {
      expect(() => unwrap(Uint8Array.from(bad))).toThrow(FormatError);
    }
  });

  it("reads and writes its names", () => {
    for (const name of ["none", "pow2", "block:1", "block:256", "block:65536"]) {
      expect(formatPadding(parsePadding(name))).toBe(name);
    }
    for (const bad of ["", "block", "block:0", "block:65537", "block:-1", "POW2", "block:1.5"]) {
      expect(() => parsePadding(bad)).toThrow("padding is none, pow2 or block:N");
    }
  });
});
