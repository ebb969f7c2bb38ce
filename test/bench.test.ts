import { CELLS, type Result } from "@pawl/bench";
import { describe, expect, it } from "vitest";
import { parseOptions } from "../bench/options.ts";
import { tableOf } from "../bench/report/markdown.ts";
import { barChart, PLOTS } from "../bench/report/plots.ts";
import { expectCleanInterrupt, expectWrongUsage, startBench } from "./support/bench.ts";

/** That the bench measures what it says, and of whom it says. Never how fast. */

describe("npm run bench", () => {
  it("prints every cell of every target that can have it, and nothing else", async () => {
    const targets = [
      "net",
      "tls-psk-cbc",
      "tls-psk-gcm",
      "secret-stream",
      "noise-libp2p",
      "pawl-strict-node",
      "pawl-strict-gcm-node",
    ];
    const cells = ["rtt-1-64", "p99-1-64", "rounds-100", "handshake", "idle-memory"];
    const { finished } = startBench("run.ts", [
      ...["--quick", "--json", "--span", "20"],
      ...["--only", cells.join(","), "--targets", targets.join(",")],
    ]);
    const { code, stdout, stderr } = await finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const results: Result[] = JSON.parse(stdout);
    const inRounds = ["net", "pawl-strict-node", "pawl-strict-gcm-node"];
    expect(results.map(({ cell, target }) => `${cell} ${target}`)).toEqual(
      cells.flatMap((cell) => (cell === "rounds-100" ? inRounds : targets).map((name) => `${cell} ${name}`)),
    );
    for (const result of results) {
      expect(Object.keys(result)).toEqual([
        ...["cell", "target", "unit", "median", "min", "max", "ratioNet", "ratioTlsPskCbc"],
      ]);
      expect(result.unit).toBe(CELLS.find(({ name }) => name === result.cell)?.unit);
      expect(result.min).toBeLessThanOrEqual(result.median);
      expect(result.max).toBeGreaterThanOrEqual(result.median);
      // A few connections may leave the memory of a server as it was.
      if (result.cell === "idle-memory") continue;
      expect(result.min).toBeGreaterThan(0);
      if (result.target === "net") expect(result.ratioNet).toBe(1);
      expect(result.ratioTlsPskCbc === null).toBe(result.cell === "rounds-100");
    }
  }, 240_000);

  it.each([
    [["--fast"], /^bench: Unknown option '--fast'; --help shows what there is\n$/],
    [["extra"], /^bench: Unexpected argument 'extra'/],
    [["--only", "rtt-7-64"], /^bench: no cell is called "rtt-7-64"; there are rtt-1-64, .*\n$/],
    [["--targets", "net,tor"], /^bench: no target is called "tor"; there are net, .*\n$/],
    [["--span", "0"], /^bench: --span is milliseconds from 1 to 60000, not "0"\n$/],
  ])("%j ends with 2 and a line that says why", (args, line) => expectWrongUsage("run.ts", args, line));

  it.skipIf(process.platform !== "linux")("ends its processes and says 130 on ^C", () =>
    expectCleanInterrupt("run.ts", ["--only", "rtt-1-64", "--targets", "net", "--span", "60000"]),
  );
});

describe("the benches of one script", () => {
  it.each(["record.ts", "fleet.ts", "counts.ts"])("bench/%s ends with 2 and a line that says why", (script) =>
    expectWrongUsage(script, ["--fast"], /^bench: Unknown option '--fast'; --help shows what there is\n$/),
  );
});

describe("what is shown of results", () => {
  const cells = CELLS.filter(({ name }) => name === "rtt-1-64" || name === "p50-1-64");
  const about = { unit: "round trips/s", min: 100, max: 300 };
  const results: Result[] = [
    { cell: "rtt-1-64", target: "net", ...about, median: 200, ratioNet: 1, ratioTlsPskCbc: 4 },
    { cell: "rtt-1-64", target: "tls-psk-cbc", ...about, median: 50, ratioNet: 0.25, ratioTlsPskCbc: 1 },
    { cell: "p50-1-64", target: "net", ...about, median: 20, ratioNet: 1, ratioTlsPskCbc: null },
  ];

  it("is a table", () => {
    expect(tableOf(results, cells).split("\n")).toEqual([
      "| median (÷ net, ÷ tls-psk-cbc) | net | tls-psk-cbc |",
      "| --- | ---: | ---: |",
      "| rtt-1-64, round trips/s | 200 (1.00, 4.00) | 50.0 (0.25, 1.00) |",
      "| p50-1-64, µs ↓ | 20.0 (1.00, –) |  |",
    ]);
  });

  it("is a plot that says in words what it shows", () => {
    const [rates] = PLOTS;
    const svg = rates && barChart(rates, results);
    expect(svg).toContain("<title>Throughput against plain TCP: more is better</title>");
    expect(svg).toContain("<desc>rtt-1-64 tls-psk-cbc 0.250</desc>");
  });

  it("has a plot for every cell", () => {
    for (const { name } of CELLS) expect(PLOTS.filter(({ cells: shown }) => shown(name))).toHaveLength(1);
  });
});

describe("the command line", () => {
  it("writes files only after a whole run", () => {
    expect(parseOptions([]).full).toBe(true);
    expect(parseOptions(["--json"]).full).toBe(true);
    for (const args of [["--quick"], ["--only", "handshake"], ["--targets", "net"], ["--span", "100"]])
      expect(parseOptions(args).full).toBe(false);
  });

  it("takes the measurement that a cell comes of, and reports that cell alone", () => {
    const { measurements, cells } = parseOptions(["--only", "cpu-100-64"]);
    expect({ measurements: measurements.map(({ name }) => name), cells }).toEqual({
      measurements: ["round-trips-100-64"],
      cells: ["cpu-100-64"],
    });
  });
});
