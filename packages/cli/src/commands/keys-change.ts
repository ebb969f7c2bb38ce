import { serializeCredential } from "@pawl/client";
import type { ClientId } from "@pawl/protocol";
import { type KeyStore, UnknownClientError } from "@pawl/server/keys";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { credentialPaths, enrolmentOf, serverOf, writeCredentials } from "../enrolment.ts";
import { CommandError, UsageError } from "../exit.ts";
import { clientIdArgument } from "../flags.ts";
import { homeOf, withHome, withKeys } from "../home.ts";

/** The commands that change one client, or several: revoke, reissue, remove, rename. A running server follows within a second. */
export function keysChangeCommands(parent: Command, context: Context): void {
  revokeCommand(parent, context);
  reissueCommand(parent, context);
  removeCommand(parent, context);
  renameCommand(parent, context);
}

interface Options {
  home?: string;
  reason?: string;
}

function revokeCommand(parent: Command, context: Context): void {
  withHome(
    parent
      .command("revoke")
      .description("shut clients out: live sessions end within a second, HELLOs are refused"),
  )
    .argument("<id...>", "the clients")
    .option("--reason <text>", "why, for the audit log", "revoked by the operator")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys revoke 7 --reason 'stolen from the van'\n  pawl keys reissue 7, when it is found",
    )
    .action(async (texts: string[], options: Options & { reason: string }) => {
      const { io, out } = context.start();
      const ids = texts.map(clientIdArgument);
      await withKeys(homeOf(options, io), async (keys) => {
        await checkKnown(keys, ids);
        for (const id of ids) {
          const { revoked } = await keys.revoke(id, options.reason);
          out.object({ clientId: id, revoked });
          out.line(`client ${id}: revoked`);
        }
      });
    });
}

function reissueCommand(parent: Command, context: Context): void {
  withHome(
    parent
      .command("reissue")
      .description("a new secret for a client, in a new credential file; the old one is dead at once"),
  )
    .argument("<id>", "the client; one that is revoked is let in again")
    .option("-o, --output <path>", "a file, a folder, or - to print; without it client-<id>.pawl here")
    .option("--server <address>", "the address to put into the credential; without it the one of --listen")
    .option("--reason <text>", "why, for the audit log")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys reissue 7 -o new/\n  pawl keys reissue 7 --reason 'new board' -o -",
    )
    .action(async (text: string, options: Options & { output?: string; server?: string }) => {
      const { io, out } = context.start();
      const id = clientIdArgument(text);
      const home = homeOf(options, io);
      await withKeys(home, async (keys) => {
        const client = await keys.get(id);
        if (client === null) throw new UnknownClientError(id);
        const { suite, label } = client;
        if (!suite.strict)
          throw new CommandError(
            `client ${id} is of suite classic, whose key is no secret; nothing to reissue`,
          );
        const server = serverOf(options.server, home.settings);
        const made = enrolmentOf(id, { suite, label, imported: null, server });
        const reissue = () => keys.reissue(id, made.client.secret, options.reason);
        if (options.output === "-") {
          await reissue();
          io.stdout.write(serializeCredential(made.credential));
          made.credential.secret.fill(0);
          return;
        }
        const [path = ""] = await credentialPaths(options.output, io.cwd, [id]);
        await writeCredentials([made], [path], reissue);
        out.object({ clientId: id, suite: suite.name, label, file: path });
        out.line(`client ${id}: ${path}`);
      });
    });
}

function removeCommand(parent: Command, context: Context): void {
  withHome(
    parent
      .command("remove")
      .description("take clients out of the database; the audit log keeps that they were there"),
  )
    .argument("<id...>", "the clients")
    .option("--reason <text>", "why, for the audit log")
    .addHelpText("after", "\nExample:\n  pawl keys remove 7 8 9 --reason 'scrapped'")
    .action(async (texts: string[], options: Options) => {
      const { io, out } = context.start();
      const ids = texts.map(clientIdArgument);
      await withKeys(homeOf(options, io), async (keys) => {
        await checkKnown(keys, ids);
        for (const id of ids) {
          await keys.remove(id, options.reason);
          out.object({ clientId: id, removed: true });
          out.line(`client ${id}: removed`);
        }
      });
    });
}

function renameCommand(parent: Command, context: Context): void {
  withHome(parent.command("rename").description("give a client another label, or none"))
    .argument("<id>", "the client")
    .argument("[label]", "a name for people")
    .option("--clear", "no label")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys rename 7 'meter in the attic'\n  pawl keys rename 7 --clear",
    )
    .action(async (text: string, label: string | undefined, options: Options & { clear?: boolean }) => {
      const { io, out } = context.start();
      if ((label === undefined) === (options.clear !== true))
        throw new UsageError("expected a label, or --clear");
      const id = clientIdArgument(text);
      await withKeys(homeOf(options, io), async (keys) => {
        const client = await keys.rename(id, label ?? null);
        out.object({ clientId: id, label: client.label });
        out.line(`client ${id}: ${client.label ?? "no label"}`);
      });
    });
}

/** All or none: a slip in the last of ten ids must not leave nine done. @throws UnknownClientError */
async function checkKnown(keys: KeyStore, ids: readonly ClientId[]): Promise<void> {
  for (const id of ids) if ((await keys.get(id)) === null) throw new UnknownClientError(id);
}
