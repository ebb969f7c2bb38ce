import { type ClientId, copyOf, type Epoch, MAX_U32 } from "@pawl/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CommitOperation, packCommits, unpackCommits } from "./packed-commits.ts";
import { areCommits, type Operation } from "./sqlite/messages.ts";

const epochs = fc.integer({ min: 0, max: MAX_U32 }).map((n) => n as Epoch);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const commits: fc.Arbitrary<CommitOperation> = fc.record({
  kind: fc.constant("commit" as const),
  clientId: fc.integer({ min: 1, max: MAX_U32 }).map((n) => n as ClientId),
  expected: fc.record({ generation: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), epoch: epochs }),
  next: fc.record({ epoch: epochs, secret: bytes(32) }),
  accepted: fc.option(fc.record({ epoch: epochs, t: bytes(16) })),
  at: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
});

describe("packed commits", () => {
  it("are what they were, one after the other, in memory of their own", () => {
    fc.assert(
      fc.property(fc.array(commits, { minLength: 1, maxLength: 5 }), (list) => {
        const due = list.map(({ next, ...one }) => ({
          ...one,
          next: { ...next, secret: copyOf(next.secret) },
        }));
        const packed = packCommits(list);
        expect(packed.buffer.byteLength).toBe(packed.length);
        expect(unpackCommits(packed)).toEqual(due);
      }),
    );
  });

  it("have the only copy of their secrets, which are overwritten where they lie", () => {
    fc.assert(
      fc.property(commits, (commit) => {
        const secret = copyOf(commit.next.secret);
        const packed = packCommits([commit]);
        expect(commit.next.secret).toEqual(new Uint8Array(32));
        for (const unpacked of unpackCommits(packed)) {
          expect(unpacked.next.secret).toEqual(secret);
          unpacked.next.secret.fill(0);
        }
        expect(unpackCommits(packed)).toEqual([commit]);
      }),
    );
  });

  it("are commits and nothing else", () => {
    const [commit] = fc.sample(commits, 1);
    const probe: Operation = { kind: "probe" };
    expect(commit !== undefined && areCommits([commit, commit])).toBe(true);
    expect(commit !== undefined && areCommits([commit, probe])).toBe(false);
  });
});
