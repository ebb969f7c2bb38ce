import type { Aggregate } from "@pawl/client";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { DemoFleet } from "../demo/fleet.ts";
import { COLUMNS, type Day, expectedProduct, readDays } from "../demo/weather.ts";
import { CommandError, InterruptedError, UsageError } from "../exit.ts";
import { type Io, type Output, table } from "../io.ts";
import { progressBar } from "../progress.ts";
import { parseInteger } from "../units.ts";

const DEFAULT_DAYS = 5;
/** With more days than this a table of them all is none. */
const TABLE_DAYS = 12;

export function demoCommand(parent: Command, context: Context): void {
  parent
    .command("demo")
    .description(
      "five clients, encrypted rounds on real weather, and an attack that fails; leaves no file behind",
    )
    .option("--days <n>", "how many days of weather, a round each", String(DEFAULT_DAYS))
    .addHelpText("after", "\nExamples:\n  pawl demo\n  pawl demo --days 365\n  pawl demo --json")
    .action(async (options: { days: string }) => {
      const { io, out } = context.start();
      const days = readDays(daysOf(options.days));
      const fleet = await DemoFleet.start();
      try {
        await tell(fleet, days, io, out);
      } finally {
        await fleet.close();
      }
      out.line(out.dim("Everything that was made for this is gone again."));
    });
}

function daysOf(text: string): number {
  try {
    return parseInteger(text, 1, 1_000_000);
  } catch (error) {
    throw new UsageError(
      `--days: ${error instanceof Error ? error.message : error}, found ${JSON.stringify(text)}`,
    );
  }
}

async function tell(fleet: DemoFleet, days: readonly Day[], io: Io, out: Output): Promise<void> {
  out.line(out.bold("A server and five clients, each with a secret of its own, over real sockets."));
  out.line(
    `The server listens on 127.0.0.1:${fleet.port}; keys are in a SQLite database, credentials in files of mode 0600.`,
  );
  await fleet.enrolAndConnect();
  out.line(
    `Clients 1 to 4 send ${COLUMNS.slice(0, 4).join(", ")}: numbers. Client 5 sends the weather as a word, which`,
  );
  out.line(
    "counts by its length, and it connects through a man in the middle, who sees every frame and no key.",
  );
  out.line();

  const results = await runRounds(fleet, days, io, out);
  if (days.length <= TABLE_DAYS) for (const line of roundsTable(results, out)) out.line(line);
  const last = results.at(-1);
  out.line();
  out.line(
    `${results.length} rounds, each product checked against another calculation: ${out.green("all equal")}` +
      (days.length > TABLE_DAYS ? `. The last: ${last?.aggregate}` : "."),
  );
  out.line("Every packet had keys of its own; those of the packets before are overwritten on both sides.");
  out.line();

  await attack(fleet, out);
  await goOn(fleet, out);
}

interface Result {
  readonly day: Day;
  readonly aggregate: string;
}

async function runRounds(fleet: DemoFleet, days: readonly Day[], io: Io, out: Output): Promise<Result[]> {
  const bar = days.length > TABLE_DAYS ? progressBar(io, out, "rounds", days.length) : null;
  const results: Result[] = [];
  try {
    for (const day of days) {
      if (io.stop.aborted) throw new InterruptedError();
      const inputs = COLUMNS.map((column) => day.columns[column]);
      const answers = await Promise.all(
        fleet.members.map(({ session, column }) => session.send(day.columns[column])),
      );
      const aggregate = check(day, inputs, answers);
      results.push({ day, aggregate });
      out.object({ type: "round", date: day.date, inputs: day.columns, ...answers[0] });
      bar?.update(results.length);
    }
  } finally {
    bar?.stop();
  }
  return results;
}

/** The one product that all five were told. @throws CommandError where it is not what another calculation says */
function check(day: Day, inputs: readonly string[], answers: readonly Aggregate[]): string {
  const expected = expectedProduct(inputs);
  for (const { aggregate, contributors } of answers) {
    if (aggregate !== expected || contributors !== inputs.length) {
      throw new CommandError(
        `${day.date}: the server says ${aggregate} of ${contributors} clients, another calculation ${expected} of ${inputs.length}`,
      );
    }
  }
  return expected;
}

function roundsTable(results: readonly Result[], out: Output): string[] {
  const head = ["DAY", ...COLUMNS, "PRODUCT OF ALL"];
  const rows = results.map(({ day, aggregate }) => [
    day.date,
    ...COLUMNS.map((column) =>
      column === "weather" ? `${day.columns.weather} (${day.columns.weather.length})` : day.columns[column],
    ),
    aggregate,
  ]);
  const [first = "", ...lines] = table([head, ...rows]);
  return [out.bold(first), ...lines];
}

/** One packet, sent twice. */
async function attack(fleet: DemoFleet, out: Output): Promise<void> {
  const bytesBefore = fleet.server.sessions().length;
  out.line(
    out.bold("Now the man in the middle sends client 5's last packet once more, bit for bit as it was."),
  );
  const { frame, violation } = await fleet.replay();
  const refused = `${violation.error} (${violation.code})`;
  out.object({
    type: "attack",
    attack: "replay",
    opcode: frame.header?.opcode,
    round: frame.header?.round,
    bytes: frame.bytes.length,
    refusedBy: violation.error,
    code: violation.code,
    why: violation.message,
  });
  out.line(
    `A DATA of round ${frame.header?.round}, ${frame.bytes.length} bytes, valid once. The server refused it with ${out.red(refused)}:`,
  );
  out.line(`${violation.message}. It answered not a byte, and the connection is closed.`);
  if (violation.code !== "PAWL_DESYNC" || bytesBefore !== COLUMNS.length) {
    throw new CommandError(`the replay was to be refused as PAWL_DESYNC, and was as ${violation.code}`);
  }
}

/** The others have not noticed. */
async function goOn(fleet: DemoFleet, out: Output): Promise<void> {
  const others = fleet.members.slice(0, -1);
  const [day] = readDays(1);
  if (day === undefined) return;
  const inputs = others.map(({ column }) => day.columns[column]);
  const answers = await Promise.all(others.map(({ session, column }) => session.send(day.columns[column])));
  const aggregate = check(day, inputs, answers);
  out.object({ type: "after", contributors: others.length, aggregate, ok: true });
  out.line(
    `The other four went on: one more round, product ${aggregate}, as it had to be. ${out.green("The attack failed.")}`,
  );
}
