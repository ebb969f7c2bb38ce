import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { program, progress } from "./command-line.ts";
import type { Sample } from "./scale/cells.ts";
import { checkFileLimit } from "./scale/file-limit.ts";
import { measure } from "./scale/measure.ts";
import { type Options, parseOptions, USAGE } from "./scale/options.ts";
import { headOf, type Run, tableOf, writeResults } from "./scale/report.ts";
import { resultsOf } from "./scale/results.ts";
import { startUp } from "./scale/start-up.ts";

/** `npm run bench:scale`: what connected clients cost one server, against their number. */

const RESULTS = new URL("./results/", import.meta.url).pathname;

await program(USAGE, parseOptions, run);

async function run(options: Options, folder: string, signal: AbortSignal): Promise<void> {
  checkFileLimit(Math.max(...options.sizes) + options.effort.rehearsing);
  const { measured, crypto } = await measureAll(options, folder, signal);
  const about: Run = { options, crypto };
  const results = resultsOf(measured);
  if (options.full) await writeResults(RESULTS, results, about);
  if (options.json) process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
  else process.stdout.write(`${headOf(about)}\n\n${tableOf(results)}\n`);
}

/** All sizes in each repetition, so that a machine whose speed drifts is as unkind to one as to another. */
async function measureAll(
  { sizes, workers, repetitions, enrolled, effort }: Options,
  folder: string,
  signal: AbortSignal,
) {
  const connected = workers.flatMap((count) =>
    sizes.map((clients) => ({ size: { clients, workers: count }, samples: [] as Sample[] })),
  );
  let provider = "";
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    for (const { size, samples } of connected) {
      progress(`${size.clients} clients, workers: ${size.workers}, ${repetition} of ${repetitions}`);
      const own = join(folder, `${size.clients}-${size.workers}-${repetition}`);
      await mkdir(own);
      const { sample, crypto } = await measure(size, effort, own, signal);
      samples.push(sample);
      provider = crypto;
    }
  }
  progress(`pawl serve with ${enrolled} enrolled`);
  const started = {
    size: { clients: enrolled, workers: 1 },
    samples: await startUp(enrolled, repetitions, join(folder, "start-up"), signal),
  };
  progress("");
  return { measured: [...connected, started], crypto: provider };
}
