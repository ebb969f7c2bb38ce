import { performance } from "node:perf_hooks";
import type { Suite, SuiteName } from "@pawl/protocol";
import type { Attack, Case, Expectation } from "./attack.ts";
import type { ClaimId } from "./claims.ts";
import type { Site } from "./site.ts";
import { Stage, UnfitStageError } from "./stage.ts";
import { type Verdict, verdictOf, verdictOfAll } from "./verdict.ts";
import type { World } from "./world/world.ts";

export interface RunOptions {
  /** Every variant of each attack, not a choice of them. */
  readonly full?: boolean;
  /** An attack that takes longer could not be carried out, milliseconds; a minute unless given, half an hour in full. */
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
  readonly onCase?: (attack: Attack, suite: Suite, one: CaseResult) => void;
}

export interface CaseResult extends Case {
  readonly verdict: Verdict;
}

/** One attack on one suite. */
export interface AttackResult {
  readonly attack: Attack;
  readonly claim: ClaimId;
  readonly suite: SuiteName;
  readonly expected: Expectation;
  readonly verdict: Verdict;
  readonly cases: readonly CaseResult[];
  /** Why it was skipped, or could not be carried out. */
  readonly reason: string | null;
  readonly ms: number;
}

const LIMIT_MS = 60_000;
const FULL_LIMIT_MS = 30 * 60_000;

/** One attack on one suite, between two whole rounds of the honest clients. */
export async function runAttack(attack: Attack, site: Site, options: RunOptions = {}): Promise<AttackResult> {
  const { suite, world } = site;
  const since = performance.now();
  const expected = attack.expected[suite.name];
  const common = { attack, claim: attack.claim, suite: suite.name, expected };
  const skipped = (reason: string): AttackResult => ({
    ...common,
    verdict: "skipped",
    cases: [],
    reason,
    ms: performance.now() - since,
  });
  if (expected === "n/a") return skipped(`${suite.name} has nothing to try it on`);
  if (world === null && attack.needs?.includes("own-server") === true) {
    return skipped("needs a server of the lab's own");
  }

  const { full = false, limitMs = full ? FULL_LIMIT_MS : LIMIT_MS } = options;
  const limit = AbortSignal.timeout(limitMs);
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
  const stage = new Stage({ ...site, full, signal });
  const cases: CaseResult[] = [];
  const add = (one: Case) => {
    const result = { ...one, verdict: verdictOf(one, expected, world !== null) };
    cases.push(result);
    options.onCase?.(attack, suite, result);
  };
  let reason: string | null = null;
  try {
    await unlessAborted(signal, carryOut(attack, stage, world, add));
  } catch (error) {
    if (error instanceof UnfitStageError && cases.length === 0) return skipped(error.message);
    if (limit.aborted) reason = `it was not done after ${limitMs / 1_000} s`;
    else reason = error instanceof Error ? error.message : String(error);
  } finally {
    await stage.close();
  }
  const verdict = verdictOfAll(cases, expected, reason !== null);
  return { ...common, verdict, cases, reason, ms: performance.now() - since };
}

async function carryOut(
  attack: Attack,
  stage: Stage,
  world: World | null,
  add: (one: Case) => void,
): Promise<void> {
  const harmed = world?.honest.wrong.length ?? 0;
  await world?.honest.round();
  stage.signal.throwIfAborted();
  for await (const one of attack.run(stage)) {
    add(one);
    stage.signal.throwIfAborted();
  }
  await world?.honest.round();
  if (world === null) return;
  if (attack.expected[stage.suite.name] === "fails") for (const one of countedTwice(stage, world)) add(one);
  const wrong = world.honest.wrong.slice(harmed);
  if (wrong.length > 0) add(harm(wrong));
}

/** Victims that counted oftener than they spoke. */
function countedTwice({ victims }: Stage, { ledger }: World): Case[] {
  return victims.flatMap(({ clientId, prime, said }) => {
    const counted = ledger.counted(prime);
    if (counted <= said) return [];
    return [found(`client ${clientId}`, `it spoke ${said} times and was counted ${counted} times`)];
  });
}

function harm(wrong: readonly string[]): Case {
  const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : "";
  return found("honest clients", `${wrong[0]}${more}`);
}

/** What was found when the attack was over. */
function found(name: string, happened: string): Case {
  const common = { refusedBy: null, due: null, recording: null };
  return { name, did: "all of the above", happened, worked: true, expected: "fails", ...common };
}

function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) aborted();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
