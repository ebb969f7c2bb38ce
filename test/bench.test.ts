import { describe, expect, it } from "vitest";
import { CELLS, MEASUREMENTS } from "../bench/cells/index.ts";
import { percentile } from "../bench/cells/latency.ts";
import { type Measurement, WrongAnswerError } from "../bench/cells/measurement.ts";
import { parseOptions } from "../bench/options.ts";
import { tableOf } from "../bench/report/markdown.ts";
import { barChart, PLOTS } from "../bench/report/plots.ts";
import { median, type Result, resultsOf } from "../bench/report/results.ts";
import type { BenchConnection } from "../bench/targets/target.ts";
import { expectCleanInterrupt, expectWrongUsage, startBench } from "./support/bench.ts";

/** That the bench measures what it says, of whom it says, and takes no wrong answer for a fast one. Never how fast. */

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

describe("every answer", () => {
  /** Answers rightly but for one bit at `at` of each answer behind the first `right` ones. */
  function wrongAt(at: number, right: number): BenchConnection {
    let answers = 0;
    return {
      roundTrip: async (message) => {
        const answer = message.slice();
        const index = at < 0 ? answer.length + at : at;
        if (answers++ >= right) answer[index] = (answer[index] ?? 0) ^ 1;
        return answer;
      },
      close: async () => {},
    };
  }

  function workOf(measurement: Measurement, connection: BenchConnection): Promise<object> {
    const { connected } = measurement.setting({ repetitions: 1, sample: EFFORT, warmUp: EFFORT });
    const clients = { connected: Array.from({ length: connected }, () => connection) };
    return measurement.work({ ...clients, dial: async () => connection }, EFFORT);
  }

  const EFFORT = { ms: 10, idle: 20 };
  const ECHOES = MEASUREMENTS.filter(({ name }) => !name.startsWith("rounds"));

  it.each(ECHOES)("is compared, byte by byte: $name", async (measurement) => {
    for (const at of [0, 7, 20, -1])
      await expect(workOf(measurement, wrongAt(at, 3))).rejects.toThrow(WrongAnswerError);
    await expect(workOf(measurement, wrongAt(0, Number.POSITIVE_INFINITY))).resolves.toBeDefined();
  });

  it("that is an earlier one is refused", async () => {
    const kept: Uint8Array[] = [];
    const stale: BenchConnection = {
      roundTrip: async (message) => {
        kept.push(message.slice());
        return kept[0] ?? message;
      },
      close: async () => {},
    };
    const one = MEASUREMENTS.find(({ name }) => name === "round-trips-1-64");
    await expect(one && workOf(one, stale)).rejects.toThrow(WrongAnswerError);
  });

  it("of a round has to be the product of all, and one's own value", async () => {
    const rounds = MEASUREMENTS.find(({ name }) => name === "rounds-100");
    const product = Array.from({ length: 100 }, (_, index) => BigInt(101 + index)).reduce((a, b) => a * b);
    const answering = (of: (value: string) => object): BenchConnection => ({
      roundTrip: async (message) =>
        Buffer.from(JSON.stringify({ contributors: 100, ...of(Buffer.from(message).toString()) })),
      close: async () => {},
    });
    const work = (of: (value: string) => object) => rounds && workOf(rounds, answering(of));
    await expect(work((value) => ({ value, aggregate: `${product}` }))).resolves.toBeDefined();
    await expect(work((value) => ({ value, aggregate: `${product + 1n}` }))).rejects.toThrow(
      WrongAnswerError,
    );
    await expect(work(() => ({ value: "7", aggregate: `${product}` }))).rejects.toThrow(WrongAnswerError);
  });
});

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
    expect(tableOf(results, cells).split("\n").slice(2)).toEqual([
      "| rtt-1-64, round trips/s | 200 (1.00, 4.00) | 50.0 (0.25, 1.00) | 250 (1.25, 5.00) |",
      "| p50-1-64, µs ↓ | 20.0 (1.00, –) |  |  |",
    ]);
  });

  it("is a plot that says in words what it shows", () => {
    const [rates] = PLOTS;
    const svg = rates && barChart(rates, results);
    expect(svg).toContain("<title>Throughput against plain TCP: more is better</title>");
    expect(svg).toContain("<desc>rtt-1-64 tls-psk-cbc 0.250; rtt-1-64 pawl-strict-native 1.25</desc>");
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
