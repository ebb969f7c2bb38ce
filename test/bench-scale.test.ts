import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { promisify } from "node:util";
import { WrongAnswerError } from "@pawl/bench";
import type { PawlConnection } from "@pawl/client";
import { describe, expect, it } from "vitest";
import { CELLS } from "../bench/scale/cells.ts";
import { Contributor, type RoundSoFar } from "../bench/scale/contributor.ts";
import { checkFileLimit, FileLimitError } from "../bench/scale/file-limit.ts";
import { parseOptions } from "../bench/scale/options.ts";
import { plotOf, tableOf } from "../bench/scale/report.ts";
import { resultsOf, type ScaleResult } from "../bench/scale/results.ts";
import { expectCleanInterrupt, expectWrongUsage, startBench } from "./support/bench.ts";

/** That npm run bench:scale measures what it says, and takes no round of some for one of all. Never how fast. */

describe("npm run bench:scale", () => {
  it("prints every cell of every size, and writes nothing", async () => {
    const files = async () => (await readdir(new URL("../bench/results", import.meta.url))).sort();
    const before = await files();
    const { code, stdout, stderr } = await startBench("scale.ts", [
      ...["--quick", "--json", "--span", "20"],
      ...["--sizes", "10,5", "--workers", "1,2", "--enrolled", "50"],
    ]).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const results: ScaleResult[] = JSON.parse(stdout);
    // Workers that the clients of the rehearsal have left keep their memory.
    const processes = (cell: string) => (cell.startsWith("idle") || cell === "serve-start" ? [1] : [1, 2]);
    expect(results.map(({ cell, clients, workers, unit }) => ({ cell, clients, workers, unit }))).toEqual(
      CELLS.flatMap(({ name: cell, unit }) =>
        processes(cell).flatMap((workers) =>
          (cell === "serve-start" ? [50] : [5, 10]).map((clients) => ({ cell, clients, workers, unit })),
        ),
      ),
    );
    for (const result of results) {
      expect(Object.keys(result)).toEqual(["cell", "clients", "workers", "unit", "median", "min", "max"]);
      expect(result.min).toBeLessThanOrEqual(result.median);
      expect(result.max).toBeGreaterThanOrEqual(result.median);
      // Memory of so few may shrink, and the system counts the kernel's time in ticks.
      if (result.cell.startsWith("idle")) continue;
      expect(result.min).toBeGreaterThanOrEqual(result.cell === "round-kernel" ? 0 : Number.MIN_VALUE);
    }
    expect(await files()).toEqual(before);
  }, 120_000);

  it.each([
    [["--fast"], /^bench: Unknown option '--fast'; --help shows what there is\n$/],
    [["extra"], /^bench: Unexpected argument 'extra'/],
    [["--sizes", "5,many"], /^bench: --sizes is numbers of clients from 1 to 28000, not "many"\n$/],
    [["--sizes", "28001"], /^bench: --sizes is numbers of clients from 1 to 28000, not "28001"\n$/],
    [["--workers", "0"], /^bench: --workers is numbers of processes from 1 to 256, not "0"\n$/],
    [["--enrolled", "0"], /^bench: --enrolled is a number of clients from 1 to 1000000, not "0"\n$/],
    [["--span", "1.5"], /^bench: --span is milliseconds from 1 to 60000, not "1.5"\n$/],
  ])("%j ends with 2 and a line that says why", (args, line) => expectWrongUsage("scale.ts", args, line));

  it.skipIf(process.platform !== "linux")("ends its processes and says 130 on ^C", () =>
    expectCleanInterrupt("scale.ts", ["--sizes", "5", "--span", "60000"]),
  );
});

describe("open files", () => {
  it("that are too few are said before anything is measured", () => {
    expect(() => checkFileLimit(10_000, 10_100)).not.toThrow();
    expect(() => checkFileLimit(10_000, 10_099)).toThrow(FileLimitError);
    expect(() => checkFileLimit(10_000, 1_024)).toThrow(
      "10000 sockets need 10100 open files, and a process may have 1024 here; " +
        "raise the hard limit (ulimit -Hn 10100, as root), or measure fewer clients with --sizes",
    );
  });

  it.skipIf(process.platform === "win32")("end the bench with 1 and that line", async () => {
    const command = [process.execPath, "--import", "tsx/esm", "bench/scale.ts", "--quick"];
    const outcome = await promisify(execFile)("sh", ["-c", 'ulimit -n 1000 && exec "$@"', "sh", ...command], {
      cwd: new URL("..", import.meta.url),
    }).catch(({ code, stdout, stderr }) => ({ code, stdout, stderr }));
    expect(outcome).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^bench: 1300 sockets need 1400 open files, .* have 1000 here; .*\n$/),
    });
  });

  it("are those of this process", () => {
    expect(() => checkFileLimit(10)).not.toThrow();
    expect(() => checkFileLimit(Number.MAX_SAFE_INTEGER)).toThrow(FileLimitError);
  });
});

describe("an answer of a round", () => {
  /** 101 · 107, of two clients of whom the second sent the third prime. */
  const OTHER_PRODUCT = "10807";
  const right = { round: 8, value: "101", aggregate: "10403", overflow: false, contributors: 2, also: {} };

  /** The first of two clients, in a first round of all, 7, and in one that is answered so. */
  async function answered(answer: typeof right, round: RoundSoFar = { number: null }): Promise<string[]> {
    const sent: string[] = [];
    const answers = [
      { ...right, round: 6, contributors: 1 },
      { ...right, round: 7 },
    ];
    const connection = {
      send: async (message: string) => {
        sent.push(message);
        return answers.shift() ?? answer;
      },
    };
    // A client that is asked for nothing else.
    const contributor = new Contributor(connection as unknown as PawlConnection, 0, 2);
    await contributor.untilAllAreThere();
    await contributor.contribute(2, round);
    return sent;
  }

  it("is taken where it is of all, of a new round, and has one's own value", async () => {
    expect(await answered(right)).toEqual(["1", "1", "101"]);
  });

  it.each([
    ["of some", { ...right, contributors: 1 }],
    ["with another product", { ...right, aggregate: OTHER_PRODUCT }],
    ["with the value of another", { ...right, value: "103" }],
    ["of the round before", { ...right, round: 7 }],
  ])("%s is refused", async (_, answer) => {
    await expect(answered(answer)).rejects.toThrow(WrongAnswerError);
  });

  it("of another round than the one that others were told is refused", async () => {
    await expect(answered(right, { number: 9 })).rejects.toThrow(WrongAnswerError);
  });
});

describe("what is made of samples", () => {
  const results = resultsOf([
    {
      size: { clients: 100, workers: 1 },
      samples: [
        { rounds: 30, "round-cpu": 20 },
        { rounds: 10, "round-cpu": 22 },
        { rounds: 20, "round-cpu": 24 },
      ],
    },
    { size: { clients: 1_000, workers: 1 }, samples: [{ rounds: 2, "round-cpu": 33 }] },
    { size: { clients: 1_000, workers: 2 }, samples: [{ rounds: 3 }] },
    { size: { clients: 50_000, workers: 1 }, samples: [{ "serve-start": 400 }] },
  ]);

  it("is medians by size", () => {
    expect(results[0]).toEqual({
      cell: "rounds",
      clients: 100,
      workers: 1,
      unit: "rounds/s",
      median: 20,
      min: 10,
      max: 30,
    });
    expect(results.map(({ cell, clients, workers }) => `${cell} ${clients} ${workers}`)).toEqual([
      ...["rounds 100 1", "rounds 1000 1", "rounds 1000 2"],
      ...["round-cpu 100 1", "round-cpu 1000 1", "serve-start 50000 1"],
    ]);
  });

  it("is a table that says how what a client costs grows", () => {
    expect(tableOf(results).split("\n")).toEqual([
      "| clients | 100 | 1,000 | growth |",
      "| --- | ---: | ---: | ---: |",
      "| rounds, rounds/s | 20.0 (10.0 – 30.0) | 2.00 (2.00 – 2.00) |  |",
      "| rounds, 2 workers, rounds/s |  | 3.00 (3.00 – 3.00) |  |",
      "| round-cpu, µs a client and round | 22.0 (20.0 – 24.0) | 33.0 (33.0 – 33.0) | × 1.50 |",
      "",
      "`pawl serve` with 50,000 enrolled listens after 400 (400 – 400) ms.",
    ]);
  });

  it("is a plot of what a client costs alone", () => {
    const svg = plotOf(results);
    expect(svg).toContain(">round-cpu, µs<");
    expect(svg).not.toContain("rounds/s");
  });
});

describe("the command line", () => {
  it("writes files only after a whole run", () => {
    expect(parseOptions(["--json"]).full).toBe(true);
    for (const args of [
      ["--quick"],
      ["--sizes", "5"],
      ["--workers", "1"],
      ["--enrolled", "5"],
      ["--span", "100"],
    ])
      expect(parseOptions(args).full).toBe(false);
  });

  it("has each size once, the fewest first", () => {
    expect(parseOptions(["--sizes", "20,5,20"]).sizes).toEqual([5, 20]);
  });
});
