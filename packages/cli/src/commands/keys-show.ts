import { type AuditEntry, UnknownClientError } from "@pawl/server/keys";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { clientIdArgument } from "../flags.ts";
import { alarmText, entryText, stateOf, timeText } from "../fleet.ts";
import { homeOf, withHome, withKeys } from "../home.ts";
import { table, toJson } from "../io.ts";

/** Lines of the audit log that are shown of a client. */
const LAST_ENTRIES = 10;

export function keysShowCommand(parent: Command, context: Context): void {
  withHome(
    parent.command("show").description("one client: its record, its alarms, what was done to it; no key"),
  )
    .argument("<id>", "the client")
    .addHelpText("after", "\nExample:\n  pawl keys show 7")
    .action(async (text: string, options: { home?: string }) => {
      const { io, out } = context.start();
      const id = clientIdArgument(text);
      const home = homeOf(options, io);
      await withKeys(home, async (keys) => {
        const client = await keys.get(id);
        if (client === null) throw new UnknownClientError(id);
        const alarms = await keys.alarms(id);
        const log: AuditEntry[] = [];
        for await (const entry of keys.log({ clientId: id })) log.push(entry);
        out.object({ ...client, suite: client.suite.name, alarms, log: log.slice(-LAST_ENTRIES) });
        const { suite, epoch, window, accepted, generation, revoked } = client;
        const facts = [
          ["client", `${id}${client.label === null ? "" : ` (${client.label})`}`],
          ["state", stateOf(client, Date.now(), home.settings.overdueAfter)],
          ["suite", suite.name],
          ["epoch", `${epoch}, moved ${timeText(client.moved)}`],
          ["last seen", timeText(client.lastSeen)],
          ["created", timeText(client.created)],
          ["window", `${window} epochs ahead`],
          [
            "accepted",
            accepted === null
              ? "no session since it was enrolled, reissued or restored"
              : `at epoch ${accepted.epoch}`,
          ],
          ["generation", toJson(generation).replaceAll('"', "")],
          ...(revoked === null ? [] : [["revoked", `${timeText(revoked.at)}: ${revoked.reason}`]]),
        ];
        for (const line of table(facts)) out.line(line);
        for (const alarm of alarms) {
          out.line();
          out.line(alarm.kind === "clone-detected" ? out.red(alarmText(alarm)) : alarmText(alarm));
        }
        out.line();
        for (const entry of log.slice(-LAST_ENTRIES)) {
          out.line(`${out.dim(timeText(entry.at))}  ${entry.actor}  ${entryText(entry)}`);
        }
      });
    });
}
