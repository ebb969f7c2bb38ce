import { parseArgs } from "node:util";
import type { Fault } from "./faults.ts";
import { runChaos } from "./harness.ts";
import { linesOf, progressLine, summarize } from "./report.ts";

/** Kills, cuts and breaks a server and its clients in every place, and checks what must hold after it. */

const USAGE = `usage: npm run chaos -- [--runs 500] [--seed N] [--lanes 8] [--only RUN] [--fault JSON] [--match TEXT] [--keep] [--json]

--seed   what happens at random, and in which order; printed at the end
--lanes  runs at the same time; they mostly wait
--only   one run of them all, with the same --runs and --seed
--fault  this fault, as the report printed it, and no dry run before
--match  those runs alone whose fault is described so: "server: kill after log sync"
--keep   leaves the files of runs that found something
--json   the summary as one object
`;

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "500" },
    seed: { type: "string" },
    lanes: { type: "string", default: "8" },
    only: { type: "string" },
    fault: { type: "string" },
    match: { type: "string" },
    keep: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function integer(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0 && Number.isSafeInteger(value)) return value;
  process.stderr.write(`--${name}: expected an integer from 1, found ${JSON.stringify(text)}\n`);
  process.exit(2);
}

if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const runs = integer("runs", values.runs);
const seed = values.seed === undefined ? 1 + (Date.now() % 1_000_000) : integer("seed", values.seed);
const only = values.only === undefined ? {} : { only: integer("only", values.only) };

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

const terminal = process.stderr.isTTY === true && !values.json;
if (!values.json) process.stderr.write(`seed ${seed}\n`);
const startedAt = performance.now();
const result = await runChaos({
  runs,
  seed,
  lanes: integer("lanes", values.lanes),
  ...only,
  // As the report printed it.
  ...(values.fault === undefined ? {} : { fault: JSON.parse(values.fault) as Fault }),
  ...(values.match === undefined ? {} : { match: values.match }),
  keep: values.keep,
  signal: stop.signal,
  onRun: (run, done, of) => {
    const line = progressLine(run, done, of);
    if (terminal) process.stderr.write(`\r\u001b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  },
  onNote: (text) => process.stderr.write(`${text}\n`),
}).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
});
if (terminal) process.stderr.write("\r\u001b[K");

const summary = summarize(result, seed, Math.round((performance.now() - startedAt) / 1_000));
const lines = values.json ? [JSON.stringify(summary)] : linesOf(summary);
process.stdout.write(`${lines.join("\n")}\n`);
process.exitCode = summary.violations.length > 0 ? 1 : summary.interrupted ? 130 : 0;
