import { CELLS, chosen, MEASUREMENTS, type Measurement, type Plan, planOf } from "@pawl/bench";
import { parseFlags, UsageError } from "./command-line.ts";
import { TARGETS } from "./targets/index.ts";

export const USAGE = `usage: npm run bench -- [options]

Measures this machine: Pawl side by side with what a user would pick instead, all in one run. Takes seven to eight minutes, prints
a table, and writes bench/results/bench.{json,md} with plots.

  --quick          a glance of under a minute; writes no file
  --json           prints an array of {cell, target, unit, median, min, max, ratioNet, ratioTlsPskCbc}
  --only CELLS     these cells alone, separated by commas; writes no file
  --targets NAMES  these targets alone; writes no file
  --span MS        milliseconds of each sample; writes no file

cells: ${CELLS.map(({ name }) => name).join(", ")}
targets: ${Object.keys(TARGETS).join(", ")}
`;

const FLAGS = {
  quick: { type: "boolean" },
  json: { type: "boolean" },
  only: { type: "string" },
  targets: { type: "string" },
  span: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

export interface Options {
  readonly help: boolean;
  readonly json: boolean;
  /** Whether the results are those to keep. */
  readonly full: boolean;
  readonly plan: Plan;
  readonly measurements: readonly Measurement[];
  /** Names of cells to report; a measurement may have more. */
  readonly cells: readonly string[];
  readonly targets: readonly string[];
}

const FULL = { repetitions: 5, ms: 700, idle: 1_000 };
const QUICK = { repetitions: 2, ms: 80, idle: 250 };

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const values = parseFlags(args, FLAGS);
  const { repetitions, ms, idle } = values.quick === true ? QUICK : FULL;
  const span = values.span === undefined ? ms : milliseconds(values.span);
  // A span that is shorter than that of a whole run leaves everything smaller.
  const connections = Math.max(1, Math.round(Math.min(idle, (idle * span) / ms)));
  const cells = named(
    "cell",
    values.only,
    CELLS.map(({ name }) => name),
  );
  return {
    help: values.help === true,
    json: values.json === true,
    full: [values.quick, values.only, values.targets, values.span].every((value) => value === undefined),
    plan: planOf({ repetitions, ms: span, idle: connections }),
    cells,
    measurements: MEASUREMENTS.filter((one) => one.cells.some(({ name }) => cells.includes(name))),
    targets: named("target", values.targets, Object.keys(TARGETS)),
  };
}

/** @throws UsageError */
function named(kind: string, text: string | undefined, all: readonly string[]): readonly string[] {
  try {
    return chosen(kind, text === undefined ? undefined : [text], all);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

function milliseconds(text: string): number {
  const ms = Number(text);
  if (/^\d+$/.test(text) && ms >= 1 && ms <= 60_000) return ms;
  throw new UsageError(`--span is milliseconds from 1 to 60000, not ${JSON.stringify(text)}`);
}
