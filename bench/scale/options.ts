import { MAX_WORKERS } from "@pawl/server";
import { parseFlags, UsageError } from "../command-line.ts";
import type { Effort } from "./measure.ts";

export const USAGE = `usage: npm run bench:scale -- [options]

What connected clients cost one server: rounds of all, handshakes, memory, against their number. Takes about ten minutes, prints a
table, and writes bench/results/scale.{json,md,svg}.

  --quick       100 and 1,000 clients, in under a minute; writes no file
  --json        prints an array of {cell, clients, workers, unit, median, min, max}
  --workers LIST  processes that serve, as in \`pawl serve --workers\`, separated by commas: 1,2 unless given; writes no file
  --sizes LIST  other numbers of clients, separated by commas; writes no file
  --enrolled N  clients enrolled where the start of \`pawl serve\` is timed, 100000 unless given; writes no file
  --span MS     milliseconds of rounds at each size and repetition; writes no file
`;

const FLAGS = {
  quick: { type: "boolean" },
  json: { type: "boolean" },
  sizes: { type: "string" },
  workers: { type: "string" },
  enrolled: { type: "string" },
  span: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

export interface Options {
  readonly help: boolean;
  readonly json: boolean;
  /** Whether the results are those to keep. */
  readonly full: boolean;
  readonly repetitions: number;
  /** Ascending. */
  readonly sizes: readonly number[];
  /** Ascending. */
  readonly workers: readonly number[];
  readonly enrolled: number;
  readonly effort: Effort;
}

const FULL = {
  repetitions: 5,
  sizes: [100, 1_000, 10_000],
  workers: [1, 2],
  enrolled: 100_000,
  ms: 5_000,
  rehearsing: 3_000,
};
const QUICK = {
  repetitions: 2,
  sizes: [100, 1_000],
  workers: [1, 2],
  enrolled: 10_000,
  ms: 1_000,
  rehearsing: 300,
};
/** Of one source address to one port. */
const MOST_CLIENTS = 28_000;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const values = parseFlags(args, FLAGS);
  const plan = values.quick === true ? QUICK : FULL;
  return {
    help: values.help === true,
    json: values.json === true,
    full: [values.quick, values.sizes, values.workers, values.enrolled, values.span].every(
      (value) => value === undefined,
    ),
    repetitions: plan.repetitions,
    sizes: list("--sizes", "numbers of clients", values.sizes, MOST_CLIENTS) ?? plan.sizes,
    workers: list("--workers", "numbers of processes", values.workers, MAX_WORKERS) ?? plan.workers,
    enrolled: integer("--enrolled", "a number of clients", values.enrolled, 1_000_000) ?? plan.enrolled,
    effort: {
      ms: integer("--span", "milliseconds", values.span, 60_000) ?? plan.ms,
      rehearsing: plan.rehearsing,
    },
  };
}

/** Each once, the least first. Null where it is not given. */
function list(option: string, what: string, text: string | undefined, most: number): number[] | null {
  if (text === undefined) return null;
  const numbers = text.split(",").flatMap((one) => integer(option, what, one, most) ?? []);
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** Null where it is not given. */
function integer(option: string, what: string, text: string | undefined, most: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new UsageError(`${option} is ${what} from 1 to ${most}, not ${JSON.stringify(text)}`);
}
