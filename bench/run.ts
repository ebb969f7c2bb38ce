import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { createInterface, type Interface } from "node:readline";
import { parseArgs } from "node:util";
import { TARGETS } from "./targets/index.ts";

/**
 * Lock-step round trips a second of each target, server and clients in processes of their own, all in one run and in
 * turn, so that a machine whose speed drifts is as unkind to one as to another. Prints medians and ratios.
 */

const { values: options } = parseArgs({
  options: { json: { type: "boolean" }, quick: { type: "boolean" }, help: { type: "boolean" } },
});
if (options.help === true) {
  process.stdout.write(
    "usage: npm run bench -- [--quick] [--json]\n\n--quick takes under a minute; --json prints an array of results\n",
  );
  process.exit(0);
}

const SIZES = [64, 1_024, 16_384];
const CLIENTS = [1, 100];
const REPETITIONS = options.quick === true ? 2 : 5;
const MEASURE_MS = options.quick === true ? 500 : 2_000;
const WARM_UP_MS = options.quick === true ? 200 : 500;

interface Result {
  readonly cell: string;
  readonly target: string;
  readonly unit: "round trips/s";
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Medians over those of the same run; null for the target itself. */
  readonly ratioNet: number | null;
  readonly ratioTlsPskCbc: number | null;
}

/** Children run the built packages: no loader, no transpiler in what is measured but of this folder's own few files. */
const WORKER = new URL("./worker.ts", import.meta.url).pathname;
const running = new Set<ChildProcess>();

class Worker {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, ["--import", "tsx/esm", WORKER, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    running.add(this.#child);
    this.#child.once("exit", () => running.delete(this.#child));
    const lines: Interface = createInterface({ input: this.#child.stdout ?? process.stdin });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async answer<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("a process of the bench ended early; what it said stands above");
    return JSON.parse(value) as T;
  }

  ask<T>(line: string): Promise<T> {
    this.#child.stdin?.write(`${line}\n`);
    return this.answer<T>();
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 2_000);
    await exit;
    clearTimeout(timer);
  }
}

process.once("SIGINT", () => {
  for (const child of running) child.kill("SIGKILL");
  process.exit(130);
});

const names = Object.keys(TARGETS);
const samples = new Map<string, Map<string, number[]>>();
const progress = (text: string) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
};

for (const clients of CLIENTS) {
  const pairs: { name: string; server: Worker; client: Worker }[] = [];
  for (const name of names) {
    const server = new Worker(["server", name, String(clients)]);
    const { port, state } = await server.answer<{ port: number; state: unknown }>();
    const client = new Worker(["client", name, String(clients), String(port), JSON.stringify(state)]);
    await client.answer();
    pairs.push({ name, server, client });
  }
  for (const size of SIZES) {
    const cell = `rtt-${clients}-${size}`;
    const byTarget = new Map<string, number[]>(names.map((name) => [name, []]));
    samples.set(cell, byTarget);
    for (const { client } of pairs) await client.ask(`${size} ${WARM_UP_MS}`);
    for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
      // In turn, from another start each time.
      const order = pairs.map((_, index) => pairs[(index + repetition) % pairs.length]);
      for (const pair of order) {
        if (pair === undefined) continue;
        progress(`${cell}: ${pair.name}, ${repetition} of ${REPETITIONS}`);
        const { roundTrips, seconds } = await pair.client.ask<{ roundTrips: number; seconds: number }>(
          `${size} ${MEASURE_MS}`,
        );
        byTarget.get(pair.name)?.push(roundTrips / seconds);
      }
    }
  }
  for (const { client, server } of pairs) {
    await client.end();
    await server.end();
  }
}
progress("");

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

const results: Result[] = [];
for (const [cell, byTarget] of samples) {
  const medians = new Map([...byTarget].map(([name, values]) => [name, median(values)]));
  const ratio = (name: string, to: string) => {
    const base = medians.get(to);
    return name === to || base === undefined ? null : (medians.get(name) ?? 0) / base;
  };
  for (const [target, values] of byTarget) {
    results.push({
      cell,
      target,
      unit: "round trips/s",
      median: median(values),
      min: Math.min(...values),
      max: Math.max(...values),
      ratioNet: ratio(target, "net"),
      ratioTlsPskCbc: ratio(target, "tls-psk-cbc"),
    });
  }
}

if (options.json === true) {
  process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
} else {
  const model = cpus()[0]?.model.trim() || "unknown processor";
  process.stdout.write(
    `Lock-step round trips a second, median of ${REPETITIONS} (min … max); ${cpus().length} × ${model}, Node.js ${process.versions.node}, loopback\n\n`,
  );
  process.stdout.write(
    "| cell | target | round trips/s | of net | of tls-psk-cbc |\n|---|---|---|---|---|\n",
  );
  const show = (value: number | null) => (value === null ? "" : value.toFixed(2));
  for (const { cell, target, median: middle, min, max, ratioNet, ratioTlsPskCbc } of results) {
    const rate = `${Math.round(middle)} (${Math.round(min)} … ${Math.round(max)})`;
    process.stdout.write(`| ${cell} | ${target} | ${rate} | ${show(ratioNet)} | ${show(ratioTlsPskCbc)} |\n`);
  }
}
