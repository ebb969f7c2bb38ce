import { type Actions, listOf, pass } from "../actions.ts";
import type { ObservedFrame } from "../observed.ts";
import { playServer } from "../play.ts";
import { each, type Program } from "../program.ts";
import { type Load, PARAMETERS, type ParameterName, type Parameters, usageOf } from "./parameters.ts";
import { type Plan, type Rule, VERBS, type Verb } from "./verbs.ts";

/** An attack by hand: `flip:opcode=DATA,field=tag`. */
export interface AttackSpec {
  /** As it was written. */
  readonly text: string;
  readonly plan: Plan;
}

/** @throws RangeError that says what is wrong, and what would be right */
export function parseAttack(text: string, load: Load): AttackSpec {
  const [, name = "", rest] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const verb = VERBS.find((one) => one.name === name);
  if (verb === undefined) {
    throw new RangeError(
      `there is no attack ${JSON.stringify(name)}; expected ${VERBS.map((one) => one.name).join(", ")}`,
    );
  }
  const given = readParameters(verb, rest === undefined ? [] : rest.split(","), load);
  const missing = verb.needs.find((needed) => given[needed] === undefined);
  if (missing !== undefined) throw new RangeError(`${name} needs ${usageOf(missing)}`);
  return { text, plan: verb.plan(given) };
}

function readParameters(verb: Verb, pairs: readonly string[], load: Load): Partial<Parameters> {
  const allowed: readonly ParameterName[] = [...verb.needs, ...verb.takes];
  const given: Partial<Parameters> = {};
  const put = <Name extends ParameterName>(name: Name, value: string) => {
    given[name] = PARAMETERS[name].read(value, load);
  };
  for (const pair of pairs) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    const known = allowed.find((one) => one === name);
    if (known === undefined || value === undefined) {
      const what = name === undefined ? JSON.stringify(pair) : name;
      throw new RangeError(`${verb.name} does not take ${what}; expected ${allowed.map(usageOf).join(", ")}`);
    }
    if (given[known] !== undefined) throw new RangeError(`${known} is given twice`);
    try {
      put(known, value);
    } catch (error) {
      throw new RangeError(`${known}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return given;
}

/**
 * The program of several attacks on one connection: of those that decide on a frame the first does, and each may do
 * something behind it.
 * @throws RangeError where they do not go together
 */
export function programOf(specs: readonly AttackSpec[]): () => Program {
  const onFrames = specs.filter(({ plan }) => plan.kind !== "client");
  const server = onFrames.find(({ plan }) => plan.kind === "server");
  if (server?.plan.kind === "server") {
    const { frames } = server.plan;
    if (onFrames.length > 1) throw new RangeError(`${server.text} leaves no frames for other attacks`);
    return () => playServer(frames);
  }
  return () => {
    const rules = onFrames.flatMap(({ plan }) => (plan.kind === "rule" ? [plan.begin()] : []));
    return each((frame) => [
      ...listOf(decide(rules, frame)),
      ...rules.flatMap((rule) => rule.behind?.(frame) ?? []),
    ]);
  };
}

function decide(rules: readonly Rule[], frame: ObservedFrame): Actions {
  for (const rule of rules) {
    const fate = rule.decide?.(frame) ?? null;
    if (fate !== null) return fate;
  }
  return pass;
}
