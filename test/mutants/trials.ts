import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ClaimId, Verdict } from "@pawl/lab";
import type { SuiteName } from "@pawl/protocol";
import { buildOf } from "./build.ts";
import type { Mutant } from "./mutant.ts";

/** What a trial is told. */
export interface TrialPlan {
  readonly modules: string;
  /** Where it puts files, which are removed behind it. */
  readonly temporary: string;
  readonly suite: SuiteName;
  /** By id; null: all. */
  readonly attacks: readonly string[] | null;
  /** Of those, the ones that try to break one of these; null: all. */
  readonly claims: readonly ClaimId[] | null;
  /** Those of the attacks that measure times which are to be run. */
  readonly quiet: readonly string[];
  /** Clients that do rounds all the while. */
  readonly honest: number;
  /** Attacks that are under way at once, each beside a server and honest clients of its own. */
  readonly lanes: number;
  /** An attack that takes longer could not be carried out, milliseconds. */
  readonly limitMs: number;
}

/** What one attack found. */
export interface Finding {
  readonly attack: string;
  readonly claim: ClaimId;
  readonly verdict: Verdict;
  readonly why: string | null;
}

/** What a trial says. */
export type Line =
  | { readonly type: "plan"; readonly attacks: readonly string[] }
  | ({ readonly type: "finding" } & Finding)
  | { readonly type: "harm"; readonly what: string }
  | { readonly type: "failure"; readonly message: string }
  | { readonly type: "end" };

/** A build, attacked. */
export interface Trial {
  /** Null: the build without a mistake. */
  readonly mutant: Mutant | null;
  readonly suite: SuiteName;
  /** In the order of the catalogue. */
  readonly findings: readonly Finding[];
  /** Attacks that had no end, because the trial hung or died. */
  readonly unfinished: readonly string[];
  /** What honest clients saw that was wrong. */
  readonly harm: readonly string[];
  /** What went wrong with the trial itself. */
  readonly failures: readonly string[];
  readonly ms: number;
}

export interface TrialOptions {
  readonly attacks?: readonly string[];
  readonly claims?: readonly ClaimId[];
  readonly suite?: SuiteName;
  readonly quiet?: readonly string[];
  readonly signal?: AbortSignal;
}

const HONEST = 5;
const LANES = 4;
/** A mutant may hang. */
const LIMIT_MS = 20_000;
/** Far above what a trial takes, also one in which attacks have hung. */
const TIMEOUT_MS = 60_000;

const PROGRAM = fileURLToPath(new URL("trial.ts", import.meta.url));
const LOADER = "typescript" in process.features ? [] : ["--import", "tsx/esm"];

/**
 * Builds a mutant, runs the lab from the copy in a process of its own, and removes it.
 * @throws StaleMutantError, and where it is aborted
 */
export async function tryMutant(mutant: Mutant | null, options: TrialOptions = {}): Promise<Trial> {
  const since = performance.now();
  const { attacks = null, claims = null, quiet = mutant?.quiet ?? [] } = options;
  const { suite = mutant?.suite ?? "strict", signal } = options;
  const build = await buildOf(mutant);
  try {
    const places = { modules: build.modules, temporary: build.folder };
    const sizes = { honest: HONEST, lanes: LANES, limitMs: LIMIT_MS };
    const { lines, died } = await runTrial({ ...places, suite, attacks, claims, quiet, ...sizes }, signal);
    signal?.throwIfAborted();
    const of = <T extends Line["type"]>(type: T) =>
      lines.filter((line): line is Extract<Line, { type: T }> => line.type === type);
    const planned = of("plan").flatMap((line) => line.attacks);
    const findings = planned.flatMap((id) => of("finding").filter(({ attack }) => attack === id));
    return {
      mutant,
      suite,
      findings,
      unfinished: planned.filter((id) => !findings.some(({ attack }) => attack === id)),
      harm: of("harm").map(({ what }) => what),
      failures: [...new Set(of("failure").map(({ message }) => message)), ...(died === null ? [] : [died])],
      ms: performance.now() - since,
    };
  } finally {
    await build.remove();
  }
}

async function runTrial(
  plan: TrialPlan,
  signal: AbortSignal | undefined,
): Promise<{ lines: Line[]; died: string | null }> {
  const child = spawn(process.execPath, [...LOADER, PROGRAM, JSON.stringify(plan)], {
    // Nothing of the test runner's own environment. Mistakes are made in JavaScript, which the addon would do without.
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", PAWL_CRYPTO: "node" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on("line", (text) => lines.push(JSON.parse(text) as Line));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const end = AbortSignal.any(signal === undefined ? [limit] : [limit, signal]);
  const kill = () => child.kill("SIGKILL");
  end.addEventListener("abort", kill);
  if (end.aborted) kill();
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  end.removeEventListener("abort", kill);
  if (lines.at(-1)?.type === "end") return { lines, died: null };
  const how = limit.aborted ? `it hung for ${TIMEOUT_MS / 1_000} s` : `it died (${code})`;
  return { lines, died: `${how}: ${stderr.slice(-500)}` };
}
