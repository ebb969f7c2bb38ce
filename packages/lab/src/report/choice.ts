import type { AttackResult, CaseResult } from "../run-attack.ts";
import { isGood } from "../verdict.ts";

/** Cases that are alike: the same verdict, refused by the same check. */
export interface Kind {
  readonly first: CaseResult;
  readonly cases: number;
}

/** The kinds of cases, those that are not well first. */
export function kindsOf(cases: readonly CaseResult[]): Kind[] {
  const kinds = new Map<string, { first: CaseResult; cases: number }>();
  for (const one of badFirst(cases)) {
    const key = `${one.verdict}/${one.refusedBy}`;
    const kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, { first: one, cases: 1 });
    else kind.cases++;
  }
  return [...kinds.values()];
}

export function badFirst<T extends { readonly verdict: CaseResult["verdict"] }>(all: readonly T[]): T[] {
  return [...all.filter(({ verdict }) => !isGood(verdict)), ...all.filter(({ verdict }) => isGood(verdict))];
}

/** So few are shown each by itself. */
export const FEW_CASES = 8;
const MOST_KINDS = 8;

/** The cases of an attack that are shown with a diagram: all, where they are few; else the first of each kind. */
export function chosenCases({ cases }: Pick<AttackResult, "cases">): CaseResult[] {
  if (cases.length <= FEW_CASES) return [...cases];
  return kindsOf(cases)
    .slice(0, MOST_KINDS)
    .map(({ first }) => first);
}

/** How many rows a table of cases may have, so that all tables of a page leave room for its diagrams. */
export function rowsPerTable(results: readonly Pick<AttackResult, "cases">[]): number {
  const tables = results.filter(({ cases }) => cases.length > FEW_CASES).length;
  return Math.max(10, Math.min(100, Math.floor(3_000 / Math.max(1, tables))));
}
