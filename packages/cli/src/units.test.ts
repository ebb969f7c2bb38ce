import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import {
  formatAddress,
  parseAggregates,
  parseBoolean,
  parseChoice,
  parseDuration,
  parseInteger,
  parseListen,
  parseSize,
  parseUnlessOff,
  parseWorkers,
} from "./units.ts";

describe("units", () => {
  it("read what people write", () => {
    expect(["500ms", "1s", "1.5s", "5m", "2h", "30d"].map(parseDuration)).toEqual([
      500, 1_000, 1_500, 300_000, 7_200_000, 2_592_000_000,
    ]);
    expect(["4096", "10B", "64KiB", "1MiB", "2GiB"].map(parseSize)).toEqual([
      4_096,
      10,
      65_536,
      1 << 20,
      2 ** 31,
    ]);
    expect(parseListen("127.0.0.1:7433")).toEqual({ host: "127.0.0.1", port: 7433 });
    expect(parseListen("[::1]:0")).toEqual({ host: "::1", port: 0 });
    expect(formatAddress({ host: "::1", port: 1 })).toBe("[::1]:1");
    expect(parseInteger("100", 1, 100)).toBe(100);
    expect(["off", "1s"].map((text) => parseUnlessOff(text, parseDuration))).toEqual([null, 1_000]);
    expect([parseBoolean("true"), parseBoolean("false")]).toEqual([true, false]);
    expect(parseWorkers("2")).toBe(2);
    expect(parseWorkers("auto")).toBe(availableParallelism());
    expect(parseAggregates("product, sum")).toEqual(["product", "sum"]);
  });

  it.each([
    [
      parseDuration,
      ["", "1", "s", "-1s", "0s", "1.0001ms", "1w", "36526d", "99999999h"],
      "expected a duration",
    ],
    [(text: string) => parseUnlessOff(text, parseDuration), ["", "OFF", "1"], "5m or 30d, or off"],
    [parseSize, ["", "1KB", "-1", "1.5MiB", "99999999999999999GiB"], "expected a size"],
    [parseListen, ["", "7433", ":7433", "::1:7433", "a:b", "a:70000", "a b:1"], "expected an address"],
    [parseWorkers, ["", "0", "257", "1.5", "AUTO", "all"], "expected an integer from 1 to 256, or auto"],
    [parseBoolean, ["", "yes", "1", "TRUE"], "expected true or false"],
    [parseAggregates, ["", "median", "sum,,min"], "expected product"],
    [
      (text: string) => parseInteger(text, 1, 9),
      ["", "0", "10", "1.0", "1e0", "-1", "0x1"],
      "expected an integer from 1 to 9",
    ],
    [(text: string) => parseChoice(text, ["a", "b"]), ["", "c", "A"], "expected a, b"],
  ] as [(text: string) => unknown, string[], string][])(
    "say what was expected %#",
    (read, wrong, message) => {
      for (const text of wrong) expect(() => read(text)).toThrow(message);
    },
  );
});
