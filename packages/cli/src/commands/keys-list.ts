import type { ClientInfo } from "@pawl/server/keys";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { homeOf, openKeys } from "../home.ts";
import { table } from "../io.ts";

export function keysListCommand(parent: Command, context: Context): void {
  parent
    .command("list")
    .description("the enrolled clients, by id; no keys")
    .option("--home <dir>", "the home; without it PAWL_HOME, else ./pawl")
    .addHelpText("after", "\nExample:\n  pawl keys list\n  pawl keys list --json | jq .clientId")
    .action(async (options: { home?: string }) => {
      const { io, out } = context.start();
      const keys = await openKeys(homeOf(options.home, io));
      try {
        const rows = [["ID", "SUITE", "EPOCH", "STATE", "LAST SEEN", "CREATED", "LABEL"]];
        for await (const client of keys.list()) {
          out.object({ ...client, suite: client.suite.name });
          if (!out.json) rows.push(rowOf(client));
        }
        const [head = "", ...lines] = table(rows);
        out.line(lines.length === 0 ? "no client is enrolled; pawl keys add enrols one" : out.bold(head));
        for (const line of lines) out.line(line);
      } finally {
        await keys.close();
      }
    });
}

function rowOf({ clientId, suite, epoch, revoked, lastSeen, created, label }: ClientInfo): string[] {
  const time = (at: number | null) =>
    at === null ? "never" : new Date(at).toISOString().slice(0, 19).replace("T", " ");
  const state = revoked === null ? "active" : "revoked";
  return [String(clientId), suite.name, String(epoch), state, time(lastSeen), time(created), label ?? ""];
}
