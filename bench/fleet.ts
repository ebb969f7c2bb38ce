import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { clientId, STRICT } from "@pawl/protocol";
import { createClientSecret, createDbKey, openSqliteStore, writeDbKeyFile } from "@pawl/server/keys";
import { type Figure, lineChart } from "./chart.ts";
import { runCommand, startServe } from "./command.ts";
import { flagsOf } from "./command-line.ts";

/**
 * What a fleet costs against its size, on a database whose secrets are wrapped: enrolment, start, list, lookup, commit. Whole
 * commands are timed as processes of their own, from the build. Writes JSON, a table and a plot into bench/results.
 */

const USAGE =
  "usage: npm run bench:fleet -- [--quick] [--json]\n\n--quick stops at 10,000 clients and writes no file; --json prints the figures\n";
const options = flagsOf(USAGE, {
  quick: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean" },
});

const SIZES = options.quick === true ? [100, 1_000, 10_000] : [100, 1_000, 10_000, 30_000, 100_000];
const REPETITIONS = options.quick === true ? 2 : 5;
const LOOKUPS = 2_000;
const COMMITS = 50;
const BURST = 500;
const RESULTS = new URL("./results/", import.meta.url).pathname;

type Cells = Record<string, number[]>;

const results = new Map<number, Cells>();
for (const size of SIZES) results.set(size, await measure(size));
const figures = figuresOf(results);
if (options.json === true) process.stdout.write(`${JSON.stringify(figures)}\n`);
else process.stdout.write(`${tableOf(figures)}\n`);
if (options.quick !== true) {
  await mkdir(RESULTS, { recursive: true });
  const machine = `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, Node.js ${process.versions.node}`;
  await writeFile(join(RESULTS, "fleet.json"), `${JSON.stringify({ machine, figures }, null, 1)}\n`);
  await writeFile(join(RESULTS, "fleet.md"), `${machine}\n\n${tableOf(figures)}\n`);
  await writeFile(join(RESULTS, "fleet.svg"), lineChart("Cost against enrolled clients", "clients", figures));
}

async function measure(size: number): Promise<Cells> {
  const home = await mkdtemp(join(tmpdir(), "pawl-bench-"));
  try {
    const key = createDbKey();
    await writeDbKeyFile(join(home, "db.key"), [key]);
    const cells: Cells = {};
    const note = (name: string, value: number) => {
      cells[name] = [...(cells[name] ?? []), value];
    };
    const path = join(home, "keys.db");
    const store = await openSqliteStore({ path, create: true, dbKeys: async () => [key.slice()] });
    const clients = Array.from({ length: size }, (_, n) => ({
      clientId: clientId(n + 1),
      suite: STRICT,
      secret: createClientSecret(),
      label: `meter ${n + 1}`,
    }));
    let start = performance.now();
    const enrolled = await store.add(clients);
    note("enrol, µs a client", ((performance.now() - start) * 1_000) / size);
    const epochs = new Map<number, number>();
    const commit = (at: number) => {
      const info = enrolled[at % size];
      if (info === undefined) throw new Error("no such client");
      const epoch = epochs.get(info.clientId) ?? 0;
      epochs.set(info.clientId, epoch + 1);
      return store.commit({
        clientId: info.clientId,
        expected: { generation: info.generation, epoch: epoch as never },
        next: { epoch: (epoch + 1) as never, secret: createClientSecret() },
        accepted: { epoch: epoch as never, t: new Uint8Array(16) },
      });
    };
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      const step = 7_919 * (repetition + 1);
      start = performance.now();
      for (let n = 0; n < LOOKUPS; n++) await store.lookUp(clientId(1 + ((n * step) % size)));
      note("lookup, µs", ((performance.now() - start) * 1_000) / LOOKUPS);
      start = performance.now();
      for (let n = 0; n < COMMITS; n++) await commit(n * step);
      note("commit alone, µs", ((performance.now() - start) * 1_000) / COMMITS);
      start = performance.now();
      for (let n = 0; n < BURST; n += size) {
        await Promise.all(Array.from({ length: Math.min(size, BURST - n) }, (_, m) => commit(m)));
      }
      note("commit of 500 waiting, µs", ((performance.now() - start) * 1_000) / BURST);
    }
    await store.close();
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      const list = await runCommand(home, ["keys", "list", "--json"]);
      note("keys list, ms", list.ms);
      note("keys list, MiB", list.peakMiB);
      const serve = await startServe(home);
      note("serve start, ms", serve.ms);
      note("serve start, MiB", serve.peakMiB);
    }
    return cells;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function figuresOf(measured: ReadonlyMap<number, Cells>): Figure[] {
  const figures: Figure[] = [];
  for (const [size, cells] of measured) {
    for (const [name, values] of Object.entries(cells)) {
      const sorted = [...values].sort((a, b) => a - b);
      const at = (index: number) => Number((sorted[index] ?? Number.NaN).toPrecision(3));
      const median = at(sorted.length >> 1);
      figures.push({ name, size, median, min: at(0), max: at(sorted.length - 1) });
    }
  }
  return figures;
}

function tableOf(all: readonly Figure[]): string {
  const names = [...new Set(all.map((one) => one.name))];
  const lines = [
    `| median (min – max) | ${SIZES.map((size) => size.toLocaleString("en")).join(" | ")} |`,
    `|---|${SIZES.map(() => "---:").join("|")}|`,
  ];
  for (const name of names) {
    const cells = SIZES.map((size) => {
      const one = all.find((figure) => figure.name === name && figure.size === size);
      if (one === undefined) return "";
      return one.min === one.max ? String(one.median) : `${one.median} (${one.min} – ${one.max})`;
    });
    lines.push(`| ${name} | ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}
