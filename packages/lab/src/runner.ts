import { performance } from "node:perf_hooks";
import type { Suite, SuiteName } from "@pawl/protocol";
import type { Attack } from "./attack.ts";
import { ATTACKS } from "./attacks/index.ts";
import { type AttackResult, type RunOptions, runAttack } from "./run-attack.ts";
import { type Site, siteOf } from "./site.ts";
import { siteOfTarget, type Target } from "./target.ts";
import { isGood } from "./verdict.ts";
import type { HonestReport } from "./world/honest.ts";
import { World } from "./world/world.ts";

export interface CatalogueOptions extends RunOptions {
  /** Those that are run; the whole catalogue unless given. */
  readonly attacks?: readonly Attack[];
  readonly onStart?: (attack: Attack, suite: Suite) => void;
  readonly onResult?: (result: AttackResult) => void;
}

export interface LabOptions extends CatalogueOptions {
  readonly suites: readonly Suite[];
  /** Clients that do rounds all the while, in each suite; 50 unless given. */
  readonly honest?: number;
}

export interface LabReport {
  readonly startedAt: string;
  readonly ms: number;
  /** In the order of the catalogue. */
  readonly results: readonly AttackResult[];
  /** None against a server that is somebody else's. */
  readonly honest: readonly (HonestReport & { readonly suite: SuiteName })[];
  /** Every claim held, every known weakness was shown, nobody honest was harmed. */
  readonly ok: boolean;
}

export const DEFAULT_HONEST = 50;

/** Runs the catalogue against servers of the lab's own, one for each suite, each with honest clients that do rounds. */
export async function runLab(options: LabOptions): Promise<LabReport> {
  const { suites, honest = DEFAULT_HONEST } = options;
  const since = beginning();
  const worlds = await Promise.all(suites.map((suite) => World.open({ suite, honest })));
  try {
    const results = await runOn(worlds.map(siteOf), options);
    await Promise.all(worlds.map((world) => world.honest.round()));
    const reports = worlds.map((world) => ({ suite: world.suite.name, ...world.honest.report() }));
    return reportOf(since, results, reports);
  } finally {
    await Promise.all(worlds.map((world) => world.close()));
  }
}

/**
 * Runs the catalogue against a server that is somebody else's, judged by the wire alone. The caller has made sure that it
 * may be attacked.
 * @throws ConnectError where nobody listens; CredentialError; TypeError where the credentials are of several suites
 */
export async function runLabOn(target: Target, options: CatalogueOptions = {}): Promise<LabReport> {
  const since = beginning();
  return reportOf(since, await runOn([await siteOfTarget(target)], options), []);
}

interface Beginning {
  readonly startedAt: string;
  readonly since: number;
}

function beginning(): Beginning {
  return { startedAt: new Date().toISOString(), since: performance.now() };
}

function reportOf(
  { startedAt, since }: Beginning,
  results: readonly AttackResult[],
  honest: LabReport["honest"],
): LabReport {
  const unharmed = honest.every(({ wrong }) => wrong.length === 0);
  const ok = unharmed && results.every(({ verdict }) => isGood(verdict));
  return { startedAt, ms: performance.now() - since, results, honest, ok };
}

/** Suites side by side, the attacks on each in turn; then those that need the machine for themselves, one by one. */
async function runOn(sites: readonly Site[], options: CatalogueOptions): Promise<AttackResult[]> {
  const attacks = options.attacks ?? ATTACKS;
  const isQuiet = ({ needs = [] }: Attack) => needs.includes("quiet");
  const results: AttackResult[] = [];
  const run = async (attack: Attack, site: Site) => {
    if (options.signal?.aborted === true) return;
    options.onStart?.(attack, site.suite);
    const result = await runAttack(attack, site, options);
    results.push(result);
    options.onResult?.(result);
  };
  await Promise.all(
    sites.map(async (site) => {
      for (const attack of attacks) if (!isQuiet(attack)) await run(attack, site);
    }),
  );
  const quiet = attacks.filter(isQuiet);
  if (quiet.length > 0) await Promise.all(sites.map(({ world }) => world?.honest.pause()));
  for (const attack of quiet) for (const site of sites) await run(attack, site);
  for (const { world } of sites) world?.honest.resume();
  const place = ({ attack, suite }: AttackResult) =>
    attacks.indexOf(attack) * sites.length + sites.findIndex((site) => site.suite.name === suite);
  return results.sort((a, b) => place(a) - place(b));
}
