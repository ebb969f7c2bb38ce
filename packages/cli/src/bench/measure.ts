import {
  availableTargets,
  CELLS,
  compare,
  MEASUREMENTS,
  measureRecords,
  type Plan,
  RECORD_CELLS,
  type Result,
  resultsOf,
} from "@pawl/bench";
import { TARGETS } from "@pawl/bench/targets";
import { defaultCrypto, nodeCrypto, type SuiteName } from "@pawl/protocol";

export interface BenchOptions {
  readonly suite: SuiteName;
  /** By name. */
  readonly cells: readonly string[];
  readonly plan: Plan;
  /** Empty, on a disk. */
  readonly folder: string;
  readonly progress: (text: string) => void;
  /** Told of a target that cannot be measured here, and why. */
  readonly leftOut: (target: string, why: string) => void;
  /** Ends it at once, with an error. */
  readonly signal: AbortSignal;
}

/** What Pawl costs, on the provider that the other commands use, and what plain TCP and TLS-PSK do. */
export async function measureAll(options: BenchOptions): Promise<Result[]> {
  return [...(await packets(options)), ...(await comparison(options))];
}

/** Of a session, on that provider, and on node:crypto where that is another. */
async function packets({ suite, cells, plan, progress, signal }: BenchOptions): Promise<Result[]> {
  const wanted = RECORD_CELLS.filter(({ name }) => cells.includes(name));
  if (wanted.length === 0) return [];
  const providers = Object.fromEntries(
    [defaultCrypto(), nodeCrypto].map(({ name }) => [targetOf(suite, name), name]),
  );
  const samples = await measureRecords({ suite, providers, cells: wanted, plan, progress, signal });
  return resultsOf(samples, wanted);
}

async function comparison(options: BenchOptions): Promise<Result[]> {
  const { suite, leftOut, ...rest } = options;
  const wanted = CELLS.filter(({ name }) => options.cells.includes(name));
  if (wanted.length === 0) return [];
  // The base of the ratios, and beside GCM its like.
  const peers = ["net", "tls-psk-cbc", ...(suite === "strict-gcm" ? ["tls-psk-gcm"] : [])];
  const names = [...peers, targetOf(suite, defaultCrypto().name)];
  const samples = await compare({
    ...rest,
    targets: await availableTargets(TARGETS, names, leftOut),
    measurements: MEASUREMENTS.filter(({ cells }) => cells.some((cell) => wanted.includes(cell))),
  });
  return resultsOf(samples, wanted);
}

function targetOf(suite: SuiteName, provider: string): string {
  return `pawl-${suite}-${provider}`;
}
