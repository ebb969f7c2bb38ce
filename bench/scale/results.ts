import { median, rounded } from "@pawl/bench";
import { CELLS, type CellName, type Sample, type Size } from "./cells.ts";

/** One figure of a run, as `--json` prints it. */
export interface ScaleResult {
  readonly cell: CellName;
  /** Connected; in `serve-start` enrolled. */
  readonly clients: number;
  /** Processes that serve. */
  readonly workers: number;
  readonly unit: string;
  /** Over the repetitions of one run. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** All repetitions at one size. */
export interface SizeSamples {
  readonly size: Size;
  readonly samples: readonly Sample[];
}

/** In the order of the cells; of each cell in that of `measured`. */
export function resultsOf(measured: readonly SizeSamples[]): ScaleResult[] {
  return CELLS.flatMap(({ name: cell, unit }) =>
    measured.flatMap(({ size: { clients, workers }, samples }) => {
      const values = samples.flatMap((sample) => sample[cell] ?? []);
      if (values.length === 0) return [];
      return {
        cell,
        clients,
        workers,
        unit,
        median: rounded(median(values)),
        min: rounded(Math.min(...values)),
        max: rounded(Math.max(...values)),
      };
    }),
  );
}
