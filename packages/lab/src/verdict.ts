import type { Attack, Case, Expectation } from "./attack.ts";

/**
 * `held`: the attack failed, as the claim says. `broken`: it worked, and must not. `shown`: a weakness that is known, and
 * was there. `not-shown`: one that was not to be seen. `disagrees`: refused, but for another reason than the victim names.
 * `skipped`: it cannot be tried here. `error`: it could not be carried out, so nothing is known.
 */
export type Verdict = "held" | "broken" | "shown" | "not-shown" | "disagrees" | "skipped" | "error";

/** Whether all is as it is said to be. */
export function isGood(verdict: Verdict): boolean {
  return verdict === "held" || verdict === "shown" || verdict === "skipped";
}

export function verdictOf(one: Case, expected: Exclude<Expectation, "n/a">, named: boolean): Verdict {
  if ((one.expected ?? expected) === "works") return one.worked ? "shown" : "not-shown";
  if (one.worked) return "broken";
  const agrees = !named || one.due === null || (one.refusedBy !== null && one.due.includes(one.refusedBy));
  return agrees ? "held" : "disagrees";
}

const WORST: readonly Verdict[] = ["error", "broken", "not-shown", "disagrees"];

/** Of all cases: the worst; where all are well, what the attack is about. */
export function verdictOfAll(
  cases: readonly Verdict[],
  { expected }: Pick<Attack, "expected">,
  suite: keyof Attack["expected"],
): Verdict {
  const worst = WORST.find((verdict) => cases.includes(verdict));
  if (worst !== undefined) return worst;
  if (cases.length === 0) return "error";
  return expected[suite] === "works" ? "shown" : "held";
}
