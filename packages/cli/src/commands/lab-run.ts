import { credentialFile, parseAddress } from "@pawl/client";
import {
  type AttackResult,
  type CatalogueOptions,
  DEFAULT_HONEST,
  isGood,
  type LabReport,
  pcapOf,
  renderReport,
  resolveTarget,
  runLab,
  runLabOn,
  type Target,
} from "@pawl/lab";
import { SUITES, type Suite } from "@pawl/protocol";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { CommandError, InterruptedError, UsageError } from "../exit.ts";
import { integerFlag, readFlag } from "../flags.ts";
import type { Io, Output } from "../io.ts";
import { theAttacks } from "../lab/choose.ts";
import { capturesOf, resultObject, resultsTable, summaryOf } from "../lab/results.ts";
import { OutputFile } from "../output-file.ts";
import { progressBar } from "../progress.ts";
import { parseChoice } from "../units.ts";

interface Options {
  suite?: string;
  only?: string[];
  full?: boolean;
  honest?: string;
  target?: string;
  credential?: string[];
  iOwnThisHost?: boolean;
  report?: string;
  pcap?: string;
}

const SUITE_CHOICES = ["all", ...SUITES.map(({ name }) => name)];

export function labRunCommand(parent: Command, context: Context): void {
  parent
    .command("run")
    .description("carry the attacks out, over real sockets; exit 1 if a promise did not hold")
    .option("--suite <name>", `${SUITE_CHOICES.join(", ")}; all unless given`)
    .option("--only <id...>", "attacks or claims, as pawl lab list names them")
    .option("--full", "every variant of each attack, bit by bit: some minutes")
    .option("--honest <n>", `clients that do rounds all the while; ${DEFAULT_HONEST} unless given`)
    .option("--report <file>", "write a page with a sequence diagram of every attack")
    .option("--pcap <file>", "write the run as a capture for Wireshark")
    .option("--target <host:port>", "attack this server instead of the lab's own, judged by the wire alone")
    .option("--credential <file...>", "clients that are enrolled there; they are moved forward")
    .option("--i-own-this-host", "attack a target that is not this machine; attack only what is yours")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl lab run --report lab.html\n  pawl lab run --suite strict --only replay truncation\n" +
        "  pawl lab run --target 127.0.0.1:7433 --credential client-1.pawl --credential client-2.pawl\n\n" +
        "Verdicts: held (the attack failed), shown (a known weakness was there), BROKEN, NOT SHOWN, DISAGREES (refused, but not\n" +
        "as the specification says), skipped, ERROR (it could not be carried out). docs/LAB.md is a course.",
    )
    .action(async (options: Options) => {
      const { io, out } = context.start();
      const attacks = theAttacks(options.only);
      const catalogue = { attacks, full: options.full === true, signal: io.stop };
      const files = await Results.open(options, io);
      let report: LabReport;
      try {
        report =
          options.target === undefined
            ? await runOwn(options, catalogue, io, out)
            : await runAgainst(await targetOf(options.target, options), catalogue, io, out);
        if (io.stop.aborted) throw new InterruptedError();
        await files.write(report);
      } finally {
        await files.discard();
      }
      tell(report, io, out);
      if (!report.ok) throw new CommandError(failureOf(report));
    });
}

/** The files that a run is to leave. */
class Results {
  readonly #report: OutputFile | null;
  readonly #pcap: OutputFile | null;

  private constructor(report: OutputFile | null, pcap: OutputFile | null) {
    this.#report = report;
    this.#pcap = pcap;
  }

  static async open({ report, pcap }: Options, io: Io): Promise<Results> {
    const first = report === undefined ? null : await OutputFile.open(report, io);
    try {
      return new Results(first, pcap === undefined ? null : await OutputFile.open(pcap, io));
    } catch (error) {
      await first?.discard();
      throw error;
    }
  }

  async write(report: LabReport): Promise<void> {
    await this.#report?.write(renderReport(report));
    await this.#pcap?.write(Buffer.concat([...pcapOf(capturesOf(report))]));
  }

  async discard(): Promise<void> {
    await this.#report?.discard();
    await this.#pcap?.discard();
  }
}

function runOwn(options: Options, catalogue: CatalogueOptions, io: Io, out: Output): Promise<LabReport> {
  for (const [flag, value] of [
    ["--credential", options.credential],
    ["--i-own-this-host", options.iOwnThisHost],
  ]) {
    if (value !== undefined) throw new UsageError(`${flag} goes with --target`);
  }
  const suites = suitesOf(options.suite);
  const honest =
    options.honest === undefined ? DEFAULT_HONEST : integerFlag("--honest", options.honest, 1, 1_000);
  return withProgress(suites, catalogue, io, out, (more) =>
    runLab({ suites, honest, ...catalogue, ...more }),
  );
}

function runAgainst(target: Target, catalogue: CatalogueOptions, io: Io, out: Output): Promise<LabReport> {
  // One suite: that of the credentials.
  return withProgress([null], catalogue, io, out, (more) => runLabOn(target, { ...catalogue, ...more }));
}

async function withProgress(
  suites: readonly unknown[],
  { attacks = [] }: CatalogueOptions,
  io: Io,
  out: Output,
  run: (options: Pick<CatalogueOptions, "onResult">) => Promise<LabReport>,
): Promise<LabReport> {
  const bar = progressBar(io, out, "attacks", attacks.length * suites.length);
  let done = 0;
  const onResult = (result: AttackResult) => {
    out.object(resultObject(result));
    if (!io.stop.aborted) bar.update(++done);
  };
  try {
    return await run({ onResult });
  } finally {
    bar.stop();
  }
}

function suitesOf(name = "all"): readonly Suite[] {
  const choice = readFlag("--suite", name, (text) => parseChoice(text, SUITE_CHOICES));
  return choice === "all" ? SUITES : SUITES.filter((suite) => suite.name === choice);
}

/** @throws UsageError, CommandError */
async function targetOf(text: string, options: Options): Promise<Target> {
  const { credential: files = [], suite, honest } = options;
  if (suite !== undefined)
    throw new UsageError("--suite does not go with --target: it is that of the credentials");
  if (honest !== undefined)
    throw new UsageError("--honest does not go with --target: it has clients of its own");
  if (files.length === 0) {
    throw new UsageError(
      "--target takes the credentials of clients that are enrolled there: --credential FILE",
    );
  }
  const { host, port } = readAddress(text);
  const { address, loopback } = await resolveTarget(host).catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError(`--target: ${host} has no address (${cause.code})`, { cause });
  });
  if (!loopback && options.iOwnThisHost !== true) {
    throw new UsageError(
      `--target: ${host} is not this machine; attack only what is yours, and say so with --i-own-this-host`,
    );
  }
  return { host: address, port, credentials: files.map((file) => credentialFile(file)) };
}

function readAddress(text: string): { host: string; port: number } {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new UsageError(`--target: ${error instanceof Error ? error.message : error}`);
  }
}

function tell(report: LabReport, io: Io, out: Output): void {
  const { head, rows } = resultsTable(report.results, io.stdout.columns);
  out.line(out.bold(head));
  for (const { lines, good } of rows) for (const line of lines) out.line(good ? line : out.red(line));
  out.line();
  for (const text of summaryOf(report)) out.line(text);
  const { startedAt, ms, honest, ok } = report;
  out.object({
    type: "summary",
    startedAt,
    ms,
    honest: honest.map(({ latencies, ...rest }) => ({
      ...rest,
      medianMs: latencies[latencies.length >> 1] ?? null,
    })),
    ok,
  });
}

function failureOf({ results, honest }: LabReport): string {
  const bad = results.filter(({ verdict }) => !isGood(verdict));
  const names = bad.map(({ attack, suite, verdict }) => `${attack.id} on ${suite} (${verdict})`);
  const harmed = honest
    .filter(({ wrong }) => wrong.length > 0)
    .map(({ suite }) => `honest clients on ${suite}`);
  return `not as the specification says: ${[...names, ...harmed].join(", ")}`;
}
