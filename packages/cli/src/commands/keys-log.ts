import { headText } from "@pawl/server/keys";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { CommandError } from "../exit.ts";
import { clientIdArgument, integerFlag, readFlag } from "../flags.ts";
import { entryText, timeText } from "../fleet.ts";
import { homeOf, withHome, withKeys } from "../home.ts";

/** The audit log, and what examines it. */
export function keysLogCommands(parent: Command, context: Context): void {
  withHome(parent.command("log").description("the audit log: who did what to which client, when and why"))
    .option("--id <n>", "of one client")
    .option("--after <seq>", "only entries behind this number")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys log --id 7\n  pawl keys log --json | jq 'select(.kind == \"revoked\")'",
    )
    .action(async (options: { home?: string; id?: string; after?: string }) => {
      const { io, out } = context.start();
      const after = integerFlag("--after", options.after ?? "0", 0, Number.MAX_SAFE_INTEGER);
      const which = options.id === undefined ? {} : { clientId: clientIdArgument(options.id) };
      await withKeys(homeOf(options, io), async (keys) => {
        for await (const entry of keys.log({ ...which, after })) {
          out.object(entry);
          const who = entry.clientId === null ? "store" : `client ${entry.clientId}`;
          out.line(`${entry.seq}  ${timeText(entry.at)}  ${entry.actor}  ${who}  ${entryText(entry)}`);
        }
      });
    });

  withHome(
    parent
      .command("verify")
      .description(
        "examine all: the file, the chain of the audit log, every secret, every client against the log",
      ),
  )
    .option("--head <seq:mac>", "a head that an earlier verify printed: the log has to have it still")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys verify\n  pawl keys verify --head 12:9f86…\n\n" +
        "Keep the head that it prints somewhere else: it shows when an older copy of the whole database is put in its place.",
    )
    .action(async (options: { home?: string; head?: string }) => {
      const { io, out } = context.start();
      const { head: expectHead } = options;
      if (expectHead !== undefined) {
        readFlag("--head", expectHead, (text) => {
          if (!/^\d+:[0-9a-f]{64}$/.test(text))
            throw new RangeError("expected a number, a colon and 64 hexadecimal digits");
        });
      }
      await withKeys(homeOf(options, io), async (keys) => {
        const report = await keys.verify(expectHead === undefined ? {} : { expectHead });
        const { clients, entries, problems, problemCount } = report;
        const head = headText(report.head);
        out.object({ ok: problemCount === 0, clients, entries, head, problems, problemCount });
        for (const problem of problems) out.line(out.red(problem));
        if (problemCount > problems.length) out.line(out.red(`and ${problemCount - problems.length} more`));
        if (problemCount > 0) {
          throw new CommandError(
            `the key database is not sound: ${problemCount} problem${problemCount === 1 ? "" : "s"}; see docs/OPERATIONS.md`,
          );
        }
        out.line(`sound: ${clients} clients, ${entries} entries in the audit log`);
        out.line(`head ${head}`);
      });
    });
}
