import { type Cell, columnsOf, type Result } from "@pawl/bench";

/** One row a cell, one column a target. */
export function tableOf(results: readonly Result[], cells: readonly Cell[]): string {
  const [head = [], ...rows] = columnsOf(results, cells);
  return [head, head.map((_, index) => (index === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

/** What the table's reader has to know. */
export const LEGEND =
  "Medians; behind them the ratios of each to plain `net` and to `tls-psk-cbc`, value by value. More is better, less where the row has ↓.";
