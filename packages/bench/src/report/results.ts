import type { Cell } from "../cells/measurement.ts";
import type { Samples } from "../compare.ts";
import { BASES } from "../targets/index.ts";

/** One figure of a run, as `--json` prints it. */
export interface Result {
  readonly cell: string;
  readonly target: string;
  readonly unit: string;
  /** Over the repetitions of one run. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** The median over that of the base in the same run, whichever is better; null where the base was not measured, or is nothing. */
  readonly ratioNet: number | null;
  readonly ratioTlsPskCbc: number | null;
}

/** In the order of `cells`; of each cell in the order in which its targets were measured. */
export function resultsOf(samples: Samples, cells: readonly Cell[]): Result[] {
  return cells.flatMap(({ name: cell, unit }) => {
    const byTarget = samples.get(cell) ?? new Map<string, readonly number[]>();
    const over = (value: number, base: string) => {
      const divisor = median(byTarget.get(base) ?? []);
      // Memory of a few connections may come out as none at all.
      return divisor > 0 ? rounded(value / divisor) : null;
    };
    return [...byTarget].map(([target, values]) => ({
      cell,
      target,
      unit,
      median: rounded(median(values)),
      min: rounded(Math.min(...values)),
      max: rounded(Math.max(...values)),
      ratioNet: over(median(values), BASES.net),
      ratioTlsPskCbc: over(median(values), BASES.tlsPskCbc),
    }));
  });
}

/** NaN where there are none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** To more digits than any of these figures is good for. */
export function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
