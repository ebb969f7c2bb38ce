import { SUITES, type SuiteName } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { flipBit, withHeader, withLength } from "../mitm/index.ts";
import { type BytePart, compareFrames, foldParts, windowOf } from "./bytes.ts";
import { sampleFrame } from "./testing/frames.ts";

const changesOf = (before: Uint8Array, after: Uint8Array) =>
  compareFrames(before, after)
    .filter(({ changed }) => changed.length > 0)
    .map(({ name, changed }) => ({ name, changed }));

describe("two frames byte by byte", () => {
  it.each(SUITES.map(({ name }) => name))("covers every byte of a packet of %s once", (suite) => {
    const frame = sampleFrame({ suite, message: 40 });
    const parts = compareFrames(frame, frame);
    expect(parts.flatMap(({ before }) => [...before])).toEqual([...frame]);
    expect(parts.every(({ changed }) => changed.length === 0)).toBe(true);
  });

  it("names the part that a bit was turned in", () => {
    const frame = sampleFrame({ message: 40 });
    expect(changesOf(frame, flipBit(frame, 14, 7))).toEqual([{ name: "round", changed: [2] }]);
    expect(changesOf(frame, flipBit(frame, 33, 0))).toEqual([{ name: "ciphertext block 1", changed: [1] }]);
    expect(changesOf(frame, withLength(frame, 7))).toEqual([{ name: "length", changed: [3] }]);
  });

  it("keeps the parts of what came where the suite that went on is another or none", () => {
    const frame = sampleFrame();
    const [strict, gcm] = (["strict", "strict-gcm"] satisfies SuiteName[]).map((name) =>
      SUITES.find((suite) => suite.name === name),
    );
    expect(strict).toBeDefined();
    expect(changesOf(frame, withHeader(frame, gcm === undefined ? {} : { suite: gcm }))).toEqual([
      { name: "suite", changed: [0] },
    ]);
  });

  it("tells what is missing and what was added", () => {
    const frame = sampleFrame();
    const short = frame.subarray(0, frame.length - 3);
    expect(changesOf(frame, short)).toEqual([{ name: "tag", changed: [29, 30, 31] }]);
    expect(changesOf(short, frame).at(-1)).toMatchObject({ name: "added", changed: [0, 1, 2] });
  });

  it("covers what has no legal suite, or is too short for it", () => {
    for (const suite of [1, 2, 3, 9]) {
      for (let length = 0; length < 120; length++) {
        const frame = new Uint8Array(length).fill(suite);
        const parts = compareFrames(frame, frame);
        expect(
          parts.reduce((sum, part) => sum + part.before.length, 0),
          `${suite}, ${length}`,
        ).toBe(length);
      }
    }
    const junk = new Uint8Array(50).fill(9);
    expect(compareFrames(junk, junk).flatMap(({ before }) => [...before])).toHaveLength(50);
    expect(compareFrames(new Uint8Array(3), junk).flatMap(({ after }) => [...after])).toHaveLength(50);
  });
});

describe("long frames", () => {
  it("leave out unchanged ciphertext, and say how much", () => {
    const frame = sampleFrame({ message: 16 * 20 });
    const folded = foldParts(compareFrames(frame, flipBit(frame, 32 + 16 * 10, 0)));
    const names = folded.map((part) => ("parts" in part ? `${part.parts} parts` : part.name));
    expect(names.slice(9)).toEqual([
      "ciphertext block 1",
      "ciphertext block 2",
      "6 parts",
      "ciphertext block 9",
      "ciphertext block 10",
      "ciphertext block 11",
      "ciphertext block 12",
      "ciphertext block 13",
      "6 parts",
      "ciphertext block 20",
      "ciphertext block 21",
      "tag",
    ]);
    expect(folded.find((part) => "parts" in part)).toMatchObject({ bytes: 96 });
  });

  it("show of a long part what is around its first change, else its ends", () => {
    const part = (changed: number[]): BytePart => {
      const bytes = new Uint8Array(100);
      return { name: "ciphertext", before: bytes, after: bytes, changed };
    };
    const all = windowOf(part([50]), 8);
    expect(all).toEqual([null, 46, 47, 48, 49, 50, 51, 52, 53, null]);
    expect(windowOf(part([0]), 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, null]);
    expect(windowOf(part([99]), 8)).toEqual([null, 92, 93, 94, 95, 96, 97, 98, 99]);
    expect(windowOf(part([]), 8)).toEqual([0, 1, 2, 3, null, 96, 97, 98, 99]);
  });
});
