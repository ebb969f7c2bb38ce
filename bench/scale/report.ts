import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { figure, machine } from "@pawl/bench";
import { lineChart } from "../chart.ts";
import { CELLS, type ScaleCell } from "./cells.ts";
import type { Options } from "./options.ts";
import type { ScaleResult } from "./results.ts";

/** What a run is, beside its figures. */
export interface Run {
  readonly options: Pick<Options, "repetitions" | "effort">;
  /** The provider of the server's record layer. */
  readonly crypto: string;
}

export function headOf({ options, crypto }: Run): string {
  const { processor, cores, system, node } = machine();
  return (
    `${processor}, ${cores} cores, ${system}, Node.js ${node}, record layer ${crypto}; over loopback. ` +
    `${options.repetitions} repetitions: median (min – max).`
  );
}

/**
 * One row a cell and number of workers, one column a number of clients; at the end what the most clients have over what the fewest
 * have.
 */
export function tableOf(results: readonly ScaleResult[]): string {
  const rows = CELLS.flatMap((cell) => {
    const ofCell = results.filter((result) => result.cell === cell.name);
    return [...new Set(ofCell.map(({ workers }) => workers))].map((count) => ({
      cell,
      name: nameOf(cell, count),
      ofRow: ofCell.filter(({ workers }) => workers === count),
    }));
  });
  // Of connected clients: those that are only enrolled have a row, and no column.
  const sizes = [...new Set(results.filter(isConnected).map(({ clients }) => clients))];
  const lines = rows
    .filter(({ cell }) => cell.name !== START)
    .map(({ cell, name, ofRow }) => {
      const columns = sizes.map((size) => textOf(ofRow.find(({ clients }) => clients === size)));
      return [name, ...columns, growthOf(cell, ofRow)];
    });
  const head = ["clients", ...sizes.map((size) => size.toLocaleString("en")), "growth"];
  const table = [head, ["---", ...head.slice(1).map(() => "---:")], ...lines]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
  const starts = results
    .filter((result) => !isConnected(result))
    .map(
      (result) =>
        `\`pawl serve\` with ${result.clients.toLocaleString("en")} enrolled listens after ${textOf(result)} ms.`,
    );
  return [table, ...starts].join("\n\n");
}

/** JSON, a table and a plot of a whole run. */
export async function writeResults(folder: string, results: readonly ScaleResult[], run: Run): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const { repetitions, effort } = run.options;
  const json = {
    date,
    machine: machine(),
    crypto: run.crypto,
    repetitions,
    spanMs: effort.ms,
    rehearsing: effort.rehearsing,
    results,
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "scale.json"), `${JSON.stringify(json, null, 1)}\n`);
  await writeFile(join(folder, "scale.md"), `${date}, ${headOf(run)}\n\n${tableOf(results)}\n`);
  await writeFile(join(folder, "scale.svg"), plotOf(results));
}

/** What each client costs: a flat line says that it costs the same among many. */
export function plotOf(results: readonly ScaleResult[]): string {
  const shown = CELLS.filter(({ perClient }) => perClient);
  const figures = shown.flatMap((cell) =>
    results
      // The axis is logarithmic: what shrank has no place on it.
      .filter((result) => result.cell === cell.name && result.median > 0)
      .map(({ clients, workers, unit, ...figures }) => {
        // All are for each client: the legend has room for what is counted.
        const [counted = unit] = unit.split(" ");
        return { ...figures, name: nameOf({ ...cell, unit: counted }, workers), size: clients };
      }),
  );
  return lineChart("Cost of each client against connected clients", "clients", figures);
}

const START = "serve-start";

function nameOf({ name, unit }: ScaleCell, workers: number): string {
  return `${name}${workers === 1 ? "" : `, ${workers} workers`}, ${unit}`;
}

function isConnected({ cell }: ScaleResult): boolean {
  return cell !== START;
}

function growthOf({ perClient }: ScaleCell, ofRow: readonly ScaleResult[]): string {
  const [fewest, most] = [ofRow[0], ofRow.at(-1)];
  if (!perClient || fewest === undefined || most === undefined || fewest === most) return "";
  // Memory that shrank has grown by no factor.
  if (fewest.median <= 0) return "";
  return `× ${(most.median / fewest.median).toFixed(2)}`;
}

function textOf(result: ScaleResult | undefined): string {
  if (result === undefined) return "";
  const { median, min, max } = result;
  return `${figure(median)} (${figure(min)} – ${figure(max)})`;
}
