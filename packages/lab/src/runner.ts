import { performance } from "node:perf_hooks";
import type { Suite, SuiteName } from "@pawl/protocol";
import type { Attack, Case, Expectation } from "./attack.ts";
import { ATTACKS } from "./attacks/index.ts";
import type { ClaimId } from "./claims.ts";
import { Stage, type StageOptions } from "./stage.ts";
import { isGood, type Verdict, verdictOf, verdictOfAll } from "./verdict.ts";
import type { HonestReport } from "./world/honest.ts";
import { World } from "./world/world.ts";

export interface LabOptions {
  readonly suites: readonly Suite[];
  /** Those that are run; the whole catalogue unless given. */
  readonly attacks?: readonly Attack[];
  /** Every variant of each attack, not a choice of them. */
  readonly full?: boolean;
  /** Clients that do rounds all the while, in each suite; 50 unless given. */
  readonly honest?: number;
  readonly signal?: AbortSignal;
  readonly onResult?: (result: AttackResult) => void;
  readonly onCase?: (attack: Attack, suite: Suite, one: Case) => void;
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

export interface LabReport {
  readonly startedAt: string;
  readonly ms: number;
  readonly results: readonly AttackResult[];
  readonly honest: readonly (HonestReport & { readonly suite: SuiteName })[];
  /** Every claim held, every known weakness was shown, nobody honest was harmed. */
  readonly ok: boolean;
}

export const DEFAULT_HONEST = 50;

/** Where attacks on one suite are carried out. */
type Site = Omit<StageOptions, "full" | "signal">;

/** Runs the catalogue against servers of the lab's own, one for each suite, each with honest clients that do rounds. */
export async function runLab(options: LabOptions): Promise<LabReport> {
  const startedAt = new Date().toISOString();
  const since = performance.now();
  const worlds = await Promise.all(
    options.suites.map((suite) => World.open({ suite, honest: options.honest ?? DEFAULT_HONEST })),
  );
  try {
    const results = await runOn(worlds.map(siteOf), options);
    await Promise.all(worlds.map(({ honest }) => honest.round()));
    const honest = worlds.map(({ suite, honest: fleet }) => ({
      suite: suite.name,
      clients: fleet.size,
      rounds: fleet.rounds,
      wrong: fleet.wrong,
      latencies: fleet.takeLatencies(),
    }));
    const ok =
      results.every(({ verdict }) => isGood(verdict)) && honest.every(({ wrong }) => wrong.length === 0);
    return { startedAt, ms: performance.now() - since, results, honest, ok };
  } finally {
    await Promise.all(worlds.map((world) => world.close()));
  }
}

function siteOf(world: World): Site {
  return { suite: world.suite, at: world.at, world, enrol: (count) => world.enrol(count) };
}

/** Suites side by side, the attacks on each in turn; then those that need the machine for themselves, one by one. */
async function runOn(sites: readonly Site[], options: LabOptions): Promise<AttackResult[]> {
  const attacks = options.attacks ?? ATTACKS;
  const isQuiet = (attack: Attack) => attack.needs?.includes("quiet") === true;
  const results: AttackResult[] = [];
  const run = async (attack: Attack, site: Site) => {
    if (options.signal?.aborted === true) return;
    const result = await runAttack(attack, site, options);
    results.push(result);
    options.onResult?.(result);
  };
  await Promise.all(
    sites.map(async (site) => {
      for (const attack of attacks) if (!isQuiet(attack)) await run(attack, site);
    }),
  );
  for (const attack of attacks.filter(isQuiet)) for (const site of sites) await run(attack, site);
  const order = (attack: Attack) => attacks.indexOf(attack);
  return results.sort((a, b) => order(a.attack) - order(b.attack));
}

/** One attack on one suite, between two whole rounds of the honest clients. */
export async function runAttack(
  attack: Attack,
  site: Site,
  options: Pick<LabOptions, "full" | "signal" | "onCase">,
): Promise<AttackResult> {
  const { suite, world } = site;
  const since = performance.now();
  const expected = attack.expected[suite.name];
  const common = { attack, claim: attack.claim, suite: suite.name, expected };
  const skipped = (reason: string): AttackResult => ({
    ...common,
    verdict: "skipped",
    cases: [],
    reason,
    ms: 0,
  });
  if (expected === "n/a") return skipped(`${suite.name} has nothing to try it on`);
  if (world === null && attack.needs?.includes("own-server"))
    return skipped("needs a server of the lab's own");

  const signal = options.signal ?? new AbortController().signal;
  const stage = new Stage({ ...site, full: options.full ?? false, signal });
  const cases: CaseResult[] = [];
  const add = (one: Case) => {
    cases.push({ ...one, verdict: verdictOf(one, expected, world !== null) });
    options.onCase?.(attack, suite, one);
  };
  let reason: string | null = null;
  const harmed = world?.honest.wrong.length ?? 0;
  try {
    await world?.honest.round();
    for await (const one of attack.run(stage)) add(one);
    await world?.honest.round();
    if (world !== null && expected === "fails") for (const one of countedTwice(stage, world)) add(one);
    const wrong = world?.honest.wrong.slice(harmed) ?? [];
    if (wrong.length > 0) add(harm(wrong));
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  } finally {
    await stage.close();
  }
  const verdict =
    reason !== null
      ? "error"
      : verdictOfAll(
          cases.map((one) => one.verdict),
          attack,
          suite.name,
        );
  return { ...common, verdict, cases, reason, ms: performance.now() - since };
}

/** Victims that counted oftener than they spoke. */
function countedTwice(stage: Stage, world: World): Case[] {
  return stage.victims.flatMap(({ clientId, prime, said }) => {
    const counted = world.ledger.counted(prime);
    if (counted <= said) return [];
    const happened = `it spoke ${said} times and was counted ${counted} times`;
    return [caseOf(`client ${clientId} counted`, "all of the above", happened)];
  });
}

function harm(wrong: readonly string[]): Case {
  const happened = `${wrong[0]}${wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : ""}`;
  return caseOf("honest clients", "all of the above", happened);
}

function caseOf(name: string, did: string, happened: string): Case {
  return {
    name,
    did,
    happened,
    worked: true,
    expected: "fails",
    refusedBy: null,
    due: null,
    recording: null,
  };
}
