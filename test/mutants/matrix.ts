import type { ClaimId, Verdict } from "@pawl/lab";
import type { SuiteName } from "@pawl/protocol";
import type { Mutant } from "./mutant.ts";
import { type Finding, type Trial, type TrialOptions, tryMutant } from "./trials.ts";

/** One mutant and the attacks that caught it. */
export interface Row {
  readonly mutant: Mutant;
  readonly trial: Trial;
  readonly caughtBy: readonly Finding[];
  /** Claims of the mutant's that no attack saw fall. */
  readonly missing: readonly ClaimId[];
}

export interface Matrix {
  /** The builds without a mistake, one for each suite: nothing may be found in them. */
  readonly control: readonly Trial[];
  readonly rows: readonly Row[];
}

export interface MatrixOptions extends Pick<TrialOptions, "attacks" | "signal"> {
  readonly mutants: readonly Mutant[];
  /** Tries a mutant with every attack, not with those alone that are on its claims. */
  readonly everything?: boolean;
  /** Trials that are under way at once. */
  readonly lanes?: number;
  readonly onTrial?: (trial: Trial, done: number, of: number) => void;
}

/** Tries the control and every mutant, a few at a time. @throws StaleMutantError, and where it is aborted */
export async function runMatrix(options: MatrixOptions): Promise<Matrix> {
  const { mutants, everything = false, lanes = 2, onTrial, attacks, signal } = options;
  const all = { ...(attacks && { attacks }), ...(signal && { signal }) };
  const suites = [...new Set(mutants.map(suiteOf))];
  const work = [
    ...suites.map((suite) => {
      const quiet = mutants.filter((one) => suiteOf(one) === suite).flatMap((one) => one.quiet ?? []);
      return () => tryMutant(null, { ...all, suite, quiet });
    }),
    ...mutants.map((mutant) => {
      const { claims } = mutant;
      return () => tryMutant(mutant, everything ? all : { ...all, claims });
    }),
  ];
  const trials: Trial[] = [];
  const waiting = [...work.entries()];
  let done = 0;
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, run] = next;
      const trial = await run();
      trials[index] = trial;
      onTrial?.(trial, ++done, work.length);
    }
  };
  const stopAll = (error: unknown) => {
    waiting.length = 0;
    throw error;
  };
  // Those that are under way clear up behind themselves.
  const ends = await Promise.allSettled(Array.from({ length: lanes }, () => lane().catch(stopAll)));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return {
    control: trials.filter(({ mutant }) => mutant === null),
    rows: trials.flatMap((trial) => (trial.mutant === null ? [] : [rowOf(trial.mutant, trial)])),
  };
}

/** What a trial says of its mutant. */
export function rowOf(mutant: Mutant, trial: Trial): Row {
  const caughtBy = trial.findings.filter(({ verdict }) => catches(mutant, verdict));
  const missing = mutant.claims.filter((claim) => !caughtBy.some((finding) => finding.claim === claim));
  return { mutant, trial, caughtBy, missing };
}

/** A verdict that could not be reached catches nothing, nor does the name of an error where something else has to fall. */
function catches({ backstop }: Mutant, verdict: Verdict): boolean {
  return (
    verdict === "broken" || verdict === "not-shown" || (backstop !== undefined && verdict === "disagrees")
  );
}

function suiteOf({ suite = "strict" }: Mutant): SuiteName {
  return suite;
}
