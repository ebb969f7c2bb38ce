import { SUITES } from "@pawl/protocol";
import type { ClientInfo } from "@pawl/server/keys";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { readFlag } from "../flags.ts";
import { type ClientState, stateOf, timeText } from "../fleet.ts";
import { homeOf, withHome, withKeys } from "../home.ts";
import { table } from "../io.ts";
import { parseChoice } from "../units.ts";

/** What `--sort` takes: what is compared, absent values last. */
const SORTS = {
  id: (client) => client.clientId,
  epoch: (client) => client.epoch,
  label: (client) => client.label,
  suite: (client) => client.suite.id,
  created: (client) => client.created,
  moved: (client) => client.moved,
  seen: (client) => client.lastSeen,
} satisfies Readonly<Record<string, (client: ClientInfo) => number | string | null>>;
const SORT_NAMES = Object.keys(SORTS) as (keyof typeof SORTS)[];
const SUITE_NAMES = SUITES.map(({ name }) => name);
const STATES: readonly ClientState[] = ["active", "new", "revoked", "overdue"];

interface Options {
  home?: string;
  sort: string;
  reverse?: boolean;
  state?: string;
  suite?: string;
  label?: string;
  overdueAfter?: string;
  alarmed?: boolean;
}

interface Row {
  readonly client: ClientInfo;
  readonly state: ClientState;
  readonly alarmed: boolean;
}

export function keysListCommand(parent: Command, context: Context): void {
  withHome(parent.command("list").description("the enrolled clients; no keys"))
    .option("--sort <by>", SORT_NAMES.join(", "), "id")
    .option("--reverse", "the other way round")
    .option("--state <state>", `only those that are ${STATES.join(", ")}`)
    .option("--suite <name>", "only those of this suite")
    .option("--label <text>", "only those whose label has this in it, in any case")
    .option(
      "--overdue-after <duration>",
      "what is overdue: an epoch that has not moved for so long, such as 30d",
    )
    .option("--alarmed", "only those with an alarm; keys show says which")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys list --state overdue --overdue-after 30d --sort moved\n  pawl keys list --alarmed\n" +
        "  pawl keys list --json | jq .clientId\n\n" +
        "States: new has never been seen, active has, overdue has an epoch that stood still too long, revoked is shut out.",
    )
    .action(async (options: Options) => {
      const { io, out } = context.start();
      const sort = SORTS[readFlag("--sort", options.sort, (text) => parseChoice(text, SORT_NAMES))];
      const wanted = filterOf(options);
      const home = homeOf(options, io);
      const overdueMs = home.settings.overdueAfter;
      const now = Date.now();
      await withKeys(home, async (keys) => {
        const alarms = new Set(await keys.alarmed());
        const rows: Row[] = [];
        for await (const client of keys.list()) {
          const row = {
            client,
            state: stateOf(client, now, overdueMs),
            alarmed: alarms.has(client.clientId),
          };
          if (wanted(row)) rows.push(row);
        }
        rows.sort((a, b) => compare(sort(a.client), sort(b.client)));
        if (options.reverse === true) rows.reverse();
        for (const { client, ...more } of rows) out.object({ ...client, suite: client.suite.name, ...more });
        if (out.json) return;
        const head = ["ID", "SUITE", "EPOCH", "STATE", "LAST SEEN", "MOVED", "CREATED", "LABEL"];
        const [first = "", ...lines] = table([head, ...rows.map(cells)]);
        if (lines.length > 0) out.line(out.bold(first));
        else
          out.line((await keys.count()) === 0 ? "no client is enrolled; pawl keys add enrols one" : "none");
        for (const [index, line] of lines.entries())
          out.line(rows[index]?.alarmed === true ? out.red(line) : line);
      });
    });
}

function filterOf({ state, suite, label, alarmed }: Options): (row: Row) => boolean {
  if (state !== undefined) readFlag("--state", state, (text) => parseChoice(text, STATES));
  if (suite !== undefined) readFlag("--suite", suite, (name) => parseChoice(name, SUITE_NAMES));
  const text = label?.toLowerCase();
  return (row) =>
    (state === undefined || row.state === state) &&
    (suite === undefined || row.client.suite.name === suite) &&
    (text === undefined || (row.client.label ?? "").toLowerCase().includes(text)) &&
    (alarmed !== true || row.alarmed);
}

function compare(a: number | string | null, b: number | string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return typeof a === "string" || typeof b === "string" ? String(a).localeCompare(String(b)) : a - b;
}

function cells({ client, state, alarmed }: Row): string[] {
  const { clientId, suite, epoch, lastSeen, moved, created, label } = client;
  return [
    String(clientId),
    suite.name,
    String(epoch),
    alarmed ? `${state} ALARM` : state,
    timeText(lastSeen),
    timeText(moved),
    timeText(created),
    label ?? "",
  ];
}
