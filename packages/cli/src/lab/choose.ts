import { ATTACKS, type Attack, attackById, CLAIMS } from "@pawl/lab";
import { UsageError } from "../exit.ts";

/** @throws UsageError */
export function theAttack(id: string): Attack {
  const attack = attackById(id);
  if (attack === undefined) throw unknown(id);
  return attack;
}

/** Attacks by their own names and by those of their claims, each also as a list with commas. @throws UsageError */
export function theAttacks(only: readonly string[] | undefined): readonly Attack[] {
  if (only === undefined) return ATTACKS;
  const names = only.flatMap((text) => text.split(",")).filter((name) => name !== "");
  const wrong = names.find((name) => !Object.hasOwn(CLAIMS, name) && attackById(name) === undefined);
  if (wrong !== undefined || names.length === 0) throw unknown(wrong ?? "");
  return ATTACKS.filter(({ id, claim }) => names.includes(id) || names.includes(claim));
}

function unknown(name: string): UsageError {
  return new UsageError(`there is no attack or claim ${JSON.stringify(name)}; pawl lab list names them all`);
}
