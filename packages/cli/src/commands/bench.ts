import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CELLS,
  chosen,
  describeMachine,
  machine,
  planOf,
  RECORD_CELLS,
  type Result,
  statusLine,
} from "@pawl/bench";
import { defaultCrypto, STRICT, STRICT_SUITES } from "@pawl/protocol";
import type { Command } from "commander";
import { type BenchOptions, measureAll } from "../bench/measure.ts";
import { tablesOf } from "../bench/tables.ts";
import type { Context } from "../context.ts";
import { CommandError, InterruptedError, UsageError } from "../exit.ts";
import { readFlag } from "../flags.ts";
import { type Io, type Output, table } from "../io.ts";
import { parseChoice } from "../units.ts";

interface Options {
  quick?: boolean;
  suite?: string;
  only?: string[];
}

/** Samples are short beside the time that V8 takes to compile what they do. */
const FULL = planOf({ repetitions: 3, ms: 300, warmUpMs: 150, idle: 500 });
const QUICK = planOf({ repetitions: 2, ms: 50, idle: 100 });
const SUITE_CHOICES = STRICT_SUITES.map(({ name }) => name);
const ALL_CELLS = [...RECORD_CELLS, ...CELLS].map(({ name }) => name);
/** Unless some are named. Others are near to one of these, or take longer. */
const USUAL_CELLS = [
  ...RECORD_CELLS.map(({ name }) => name),
  ...["rtt-1-64", "p50-1-64", "rtt-100-64", "rtt-100-16384", "rounds-100", "handshake"],
];

export function benchCommand(parent: Command, context: Context): void {
  parent
    .command("bench")
    .description(
      "measure this machine: packets, round trips, handshakes, rounds, beside plain TCP and TLS with pre-shared keys",
    )
    .option("--quick", "a glance of some seconds: too short for V8 to compile all, and for small differences")
    .option("--suite <name>", `${SUITE_CHOICES.join(", ")}; ${STRICT.name} unless given`)
    .option("--only <cells...>", "these cells alone")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl bench\n  pawl bench --quick --suite strict-gcm\n  pawl bench --only rtt-100-64 handshake --json\n\n" +
        "Over loopback, with clients and keys of its own; it leaves no file behind. PAWL_CRYPTO=node measures without the addon.\n" +
        "--json prints an array of {cell, target, unit, median, min, max, ratioNet, ratioTlsPskCbc}.\n\n" +
        `Cells: ${USUAL_CELLS.join(", ")}\n` +
        `and with --only: ${ALL_CELLS.filter((name) => !USUAL_CELLS.includes(name)).join(", ")}`,
    )
    .action(async (options: Options) => {
      const { io, out } = context.start();
      const wanted = {
        suite: readFlag("--suite", options.suite ?? STRICT.name, (text) => parseChoice(text, SUITE_CHOICES)),
        cells: cellsOf(options.only),
        plan: options.quick === true ? QUICK : FULL,
      };
      const results = await measured(wanted, io);
      out.object(results);
      tell(results, out);
    });
}

/** @throws UsageError */
function cellsOf(only: readonly string[] | undefined): readonly string[] {
  if (only === undefined) return USUAL_CELLS;
  try {
    return chosen("cell", only, ALL_CELLS);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(`--only: ${error.message}`) : error;
  }
}

async function measured(wanted: Pick<BenchOptions, "suite" | "cells" | "plan">, io: Io): Promise<Result[]> {
  const folder = await makeFolder();
  try {
    return await measureAll({
      ...wanted,
      folder,
      progress: statusLine(io.stderr),
      leftOut: (target, why) => io.stderr.write(`pawl: ${target} is left out: ${why}\n`),
      signal: io.stop,
    });
  } catch (error) {
    // What it ended may say so in many ways.
    throw io.stop.aborted ? new InterruptedError() : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** For the key database of a server. */
async function makeFolder(): Promise<string> {
  try {
    return await mkdtemp(join(tmpdir(), "pawl-bench-"));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CommandError(`no folder can be made in ${tmpdir()} (${code}); name another with TMPDIR`, {
      cause,
    });
  }
}

function tell(results: readonly Result[], out: Output): void {
  const { name } = defaultCrypto();
  out.line(describeMachine(machine(), `record layer ${name === "node" ? "on node:crypto" : name}`));
  for (const { about, rows } of tablesOf(results)) {
    const [head = "", ...lines] = table(rows);
    out.line();
    out.line(about);
    out.line();
    out.line(out.bold(head));
    for (const line of lines) out.line(line);
  }
}
