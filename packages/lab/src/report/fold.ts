import type { Row } from "./rows.ts";
import { plural } from "./text.ts";

export interface FoldLimits {
  /** Rows that stay at each end. */
  readonly ends: number;
  /** Rows between them that stay because the attacker or a victim does something there. */
  readonly between: number;
  /** So many of them at most that are alike. */
  readonly alike: number;
}

export const FOLD: FoldLimits = { ends: 8, between: 8, alike: 2 };

/** Leaves out rows of a long sequence: first what only passed, then what the attacker does over and over. */
export function foldRows(rows: readonly Row[], limits: FoldLimits = FOLD): Row[] {
  const { ends, between } = limits;
  if (rows.length <= 2 * ends + between) return [...rows];
  const keeps = new Set<Row>([...rows.slice(0, ends), ...rows.slice(-ends)]);
  for (const row of tellingRows(rows.slice(ends, -ends), limits)) keeps.add(row);
  const folded: Row[] = [];
  let left: Row[] = [];
  const close = () => {
    if (left.length === 1) folded.push(...left);
    else if (left.length > 0) {
      folded.push({ kind: "fold", rows: left.length, text: summaryOf(left) });
    }
    left = [];
  };
  for (const row of rows) {
    if (!keeps.has(row)) {
      left.push(row);
      continue;
    }
    close();
    folded.push(row);
  }
  close();
  return folded;
}

/** The first of each kind. */
function tellingRows(rows: readonly Row[], { between, alike }: FoldLimits): Row[] {
  const times = new Map<string, number>();
  const telling = rows.filter((row) => {
    if (!isTelling(row)) return false;
    const kind = kindOf(row);
    times.set(kind, (times.get(kind) ?? 0) + 1);
    return (times.get(kind) ?? 0) <= alike;
  });
  return telling.slice(0, between);
}

/** Something else than a packet on its way. */
function isTelling(row: Row): boolean {
  return row.kind !== "packet" || !["passed", "received", "unread"].includes(row.fate);
}

/** `… 240 more: 120 × DATA passed, 120 × AGGREGATE passed …`. */
function summaryOf(rows: readonly Row[]): string {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const kind = kindOf(row);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const kinds = [...counts].sort(([, a], [, b]) => b - a).map(([kind, times]) => `${times} × ${kind}`);
  const more = kinds.length > 4 ? [...kinds.slice(0, 3), `${kinds.length - 3} other kinds`] : kinds;
  return `… ${plural(rows.length, "more row")}: ${more.join(", ")} …`;
}

const KINDS = { end: "end of stream", note: "note", refusal: "refusal", fold: "fold" } as const;

/** `DATA altered`. */
function kindOf(row: Row): string {
  if (row.kind !== "packet") return KINDS[row.kind];
  const title = row.sent?.title ?? row.wentOn?.title ?? "";
  return `${title.split(" · ")[0]} ${row.fate}`;
}
