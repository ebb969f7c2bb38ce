import { CELLS } from "./cells/index.ts";
import { program, progress } from "./command-line.ts";
import { type Comparison, compare } from "./compare.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { writeResults } from "./report/files.ts";
import { describe, machine } from "./report/machine.ts";
import { LEGEND, tableOf } from "./report/markdown.ts";
import { resultsOf } from "./report/results.ts";
import { TARGETS } from "./targets/index.ts";
import type { Application } from "./targets/target.ts";

/** `npm run bench`: Pawl and its peers side by side on this machine. */

const RESULTS = new URL("./results/", import.meta.url).pathname;

// Both providers are measured, whichever is chosen for everything else.
delete process.env.PAWL_CRYPTO;

await program(USAGE, parseOptions, run);

async function run(
  { plan, measurements, cells: names, targets, json, full }: Options,
  folder: string,
): Promise<void> {
  const cells = CELLS.filter(({ name }) => names.includes(name));
  const samples = await compare({
    plan,
    measurements,
    folder,
    progress,
    targets: await available(targets),
  });
  const results = resultsOf(samples, cells);
  if (full) await writeResults(RESULTS, results, cells, plan);
  if (json) process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
  else process.stdout.write(`${describe(await machine())}\n\n${LEGEND}\n\n${tableOf(results, cells)}\n`);
}

/** Those of them that can be measured here. */
async function available(names: readonly string[]): Promise<Comparison["targets"]> {
  const found: { name: string; applications: readonly Application[] }[] = [];
  for (const name of names) {
    const target = await TARGETS[name]?.();
    if (target === undefined) continue;
    const why = target.unavailable?.() ?? null;
    if (why === null) found.push({ name, applications: target.applications });
    else process.stderr.write(`bench: ${name} is left out: ${why}\n`);
  }
  if (found.length === 0) throw new Error("there is nothing left to measure");
  return found;
}
