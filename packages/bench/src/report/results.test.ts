import { describe, expect, it } from "vitest";
import { CELLS } from "../cells/index.ts";
import { percentile } from "../cells/latency.ts";
import { median, resultsOf } from "./results.ts";
import { columnsOf, figure, MEDIANS } from "./rows.ts";

describe("what is made of samples", () => {
  const cells = CELLS.filter(({ name }) => name === "rtt-1-64" || name === "p50-1-64");
  const results = resultsOf(
    new Map([
      ["p50-1-64", new Map([["net", [10, 30, 20]]])],
      [
        "rtt-1-64",
        new Map([
          ["net", [100, 300, 200]],
          ["tls-psk-cbc", [50, 40, 60]],
          ["pawl-strict-native", [400, 100]],
        ]),
      ],
    ]),
    cells,
  );

  it("is medians, and ratios of medians", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(results).toEqual([
      expect.objectContaining({
        target: "net",
        median: 200,
        min: 100,
        max: 300,
        ratioNet: 1,
        ratioTlsPskCbc: 4,
      }),
      expect.objectContaining({ target: "tls-psk-cbc", median: 50, ratioNet: 0.25, ratioTlsPskCbc: 1 }),
      expect.objectContaining({
        target: "pawl-strict-native",
        median: 250,
        ratioNet: 1.25,
        ratioTlsPskCbc: 5,
      }),
      expect.objectContaining({ cell: "p50-1-64", target: "net", median: 20, ratioTlsPskCbc: null }),
    ]);
  });

  it("has no ratio to a base that came out as nothing", () => {
    const [memory] = CELLS.filter(({ name }) => name === "idle-memory");
    const samples = new Map([["idle-memory", new Map(Object.entries({ net: [-5], other: [10] }))]]);
    expect(memory && resultsOf(samples, [memory]).map(({ ratioNet }) => ratioNet)).toEqual([null, null]);
  });

  it("is percentiles that do not exceed so large a part", () => {
    const times = Array.from({ length: 200 }, (_, index) => index + 1);
    expect([percentile(times, 0.5), percentile(times, 0.99), percentile([5], 0.99)]).toEqual([100, 198, 5]);
  });

  it("is a table with a row for each cell, blank where there is nothing", () => {
    expect(columnsOf(results, cells)).toEqual([
      [MEDIANS, "net", "tls-psk-cbc", "pawl-strict-native"],
      ["rtt-1-64, round trips/s", "200 (1.00, 4.00)", "50.0 (0.25, 1.00)", "250 (1.25, 5.00)"],
      ["p50-1-64, µs ↓", "20.0 (1.00, –)", "", ""],
    ]);
  });

  it("is a table whose columns are in the order in which targets were measured", () => {
    const wanted = CELLS.filter(({ name }) => name === "rounds-100" || name === "handshake");
    const all = new Map(Object.entries({ net: [3], "tls-psk-cbc": [2], "pawl-strict-node": [1] }));
    const some = new Map(Object.entries({ net: [3], "pawl-strict-node": [1] }));
    const ofAll = resultsOf(new Map(Object.entries({ "rounds-100": some, handshake: all })), wanted);
    expect(columnsOf(ofAll, wanted)[0]).toEqual([MEDIANS, ...all.keys()]);
  });

  it("is figures of three digits, or all before the point", () => {
    expect([0.0123456, 9.876, 12_345.6, -3].map(figure)).toEqual(["0.0123", "9.88", "12,346", "-3.00"]);
  });
});
