import { availableTargets, CELLS, compare, resultsOf } from "@pawl/bench";
import { program, progress } from "./command-line.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { writeResults } from "./report/files.ts";
import { describe, machineWithPeers } from "./report/machine.ts";
import { LEGEND, tableOf } from "./report/markdown.ts";
import { TARGETS } from "./targets/index.ts";

/** `npm run bench`: Pawl and its peers side by side on this machine. */

const RESULTS = new URL("./results/", import.meta.url).pathname;

/** TypeScript: its processes need a loader, which reads only the few files of this folder. */
const SOURCE = {
  module: new URL("./targets/index.ts", import.meta.url),
  execArgv: ["--import", "tsx/esm"],
};

// Both providers are measured, whichever is chosen for everything else.
delete process.env.PAWL_CRYPTO;

await program(USAGE, parseOptions, run);

async function run(
  { plan, measurements, cells: names, targets, json, full }: Options,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const cells = CELLS.filter(({ name }) => names.includes(name));
  const samples = await compare({
    plan,
    measurements,
    folder,
    progress,
    targets: await availableTargets(TARGETS, targets, (name, why) => {
      process.stderr.write(`bench: ${name} is left out: ${why}\n`);
    }),
    source: SOURCE,
    signal,
  });
  const results = resultsOf(samples, cells);
  if (full) await writeResults(RESULTS, results, cells, plan);
  if (json) process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
  else
    process.stdout.write(
      `${describe(await machineWithPeers())}\n\n${LEGEND}\n\n${tableOf(results, cells)}\n`,
    );
}
