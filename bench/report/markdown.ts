import type { Cell } from "../cells/measurement.ts";
import type { Result } from "./results.ts";

/** One row a cell, one column a target. */
export function tableOf(results: readonly Result[], cells: readonly Cell[]): string {
  const targets = [...new Set(results.map(({ target }) => target))];
  const rows = cells.flatMap((cell) => {
    const ofCell = results.filter((result) => result.cell === cell.name);
    if (ofCell.length === 0) return [];
    const columns = targets.map((name) => {
      const result = ofCell.find(({ target }) => target === name);
      return result === undefined ? "" : columnOf(result);
    });
    return [[`${cell.name}, ${cell.unit}${cell.better === "less" ? " ↓" : ""}`, ...columns]];
  });
  return [["median (÷ net, ÷ tls-psk-cbc)", ...targets], ["---", ...targets.map(() => "---:")], ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

/** What the table's reader has to know. */
export const LEGEND =
  "Medians; behind them the ratios of each to plain `net` and to `tls-psk-cbc`, value by value. More is better, less where the row has ↓.";

function columnOf({ median, ratioNet, ratioTlsPskCbc }: Result): string {
  const ratios = [ratioNet, ratioTlsPskCbc].map((ratio) => (ratio === null ? "–" : ratio.toFixed(2)));
  return `${figure(median)} (${ratios.join(", ")})`;
}

/** Three digits at least, and no more behind the point than help. */
export function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3);
}
