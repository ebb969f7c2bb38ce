import type { Case, Expectation } from "./attack.ts";

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

/** @param named whether the victims' own words are known, to be compared with what was seen */
export function verdictOf(one: Case, expected: Exclude<Expectation, "n/a">, named: boolean): Verdict {
  if ((one.expected ?? expected) === "works") return one.worked ? "shown" : "not-shown";
  if (one.worked) return "broken";
  const agrees = !named || one.due === null || (one.refusedBy !== null && one.due.includes(one.refusedBy));
  return agrees ? "held" : "disagrees";
}

/** The worst first. */
const BAD: readonly Verdict[] = ["broken", "error", "not-shown", "disagrees"];

/** Of all cases: the worst; where all are well, what the attack is about. @param failed it could not be carried out */
export function verdictOfAll(
  cases: readonly { readonly verdict: Verdict }[],
  expected: Expectation,
  failed: boolean,
): Verdict {
  const verdicts = new Set(cases.map(({ verdict }) => verdict));
  if (failed || cases.length === 0) verdicts.add("error");
  return BAD.find((verdict) => verdicts.has(verdict)) ?? (expected === "works" ? "shown" : "held");
}
