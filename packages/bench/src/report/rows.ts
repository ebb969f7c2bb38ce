import type { Cell } from "../cells/measurement.ts";
import type { Result } from "./results.ts";

/** What stands in a field of the table. */
export const MEDIANS = "median (÷ net, ÷ tls-psk-cbc)";

/** A table's head, then one row a cell that was measured; one column a target, empty where it cannot do that. */
export function columnsOf(results: readonly Result[], cells: readonly Cell[]): readonly string[][] {
  const measured = cells
    .map((cell) => ({ cell, ofCell: results.filter((result) => result.cell === cell.name) }))
    .filter(({ ofCell }) => ofCell.length > 0);
  // In the order of a cell that all of them can do, where there is one.
  const widest = measured.toSorted((a, b) => b.ofCell.length - a.ofCell.length);
  const targets = [...new Set(widest.flatMap(({ ofCell }) => ofCell.map(({ target }) => target)))];
  const rows = measured.map(({ cell, ofCell }) => {
    const columns = targets.map((name) => {
      const result = ofCell.find(({ target }) => target === name);
      return result === undefined ? "" : columnOf(result);
    });
    return [`${cell.name}, ${cell.unit}${cell.better === "less" ? " ↓" : ""}`, ...columns];
  });
  return [[MEDIANS, ...targets], ...rows];
}

function columnOf({ median, ratioNet, ratioTlsPskCbc }: Result): string {
  const ratios = [ratioNet, ratioTlsPskCbc].map((ratio) => (ratio === null ? "–" : ratio.toFixed(2)));
  return `${figure(median)} (${ratios.join(", ")})`;
}

/** Three digits at least, and no more behind the point than help. */
export function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3);
}
