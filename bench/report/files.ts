import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cell, Plan, Result } from "@pawl/bench";
import { describe, machineWithPeers } from "./machine.ts";
import { LEGEND, tableOf } from "./markdown.ts";
import { barChart, PLOTS } from "./plots.ts";

/** JSON, a table and plots of a whole run. */
export async function writeResults(
  folder: string,
  results: readonly Result[],
  cells: readonly Cell[],
  { repetitions, sample }: Plan,
): Promise<void> {
  const here = await machineWithPeers();
  const date = new Date().toISOString().slice(0, 10);
  const run = {
    date,
    machine: here,
    repetitions,
    sampleMs: sample.ms,
    idleConnections: sample.idle,
    results,
  };
  const head = `${date}, ${describe(here)} ${repetitions} repetitions.\n\n${LEGEND}`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "bench.json"), `${JSON.stringify(run, null, 1)}\n`);
  await writeFile(join(folder, "bench.md"), `${head}\n\n${tableOf(results, cells)}\n`);
  for (const plot of PLOTS) await writeFile(join(folder, `${plot.name}.svg`), barChart(plot, results));
}
