import { readFile, writeFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { type ClientId, wipe } from "@pawl/protocol";
import {
  AlreadyEnrolledError,
  type ExportedClient,
  type KeyStore,
  MIN_PASSPHRASE,
  openExport,
  sealExport,
  UnknownClientError,
} from "@pawl/server/keys";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { CommandError, UsageError } from "../exit.ts";
import { clientIdArgument } from "../flags.ts";
import { homeOf, withHome, withKeys } from "../home.ts";
import type { Io } from "../io.ts";
import { readPassphrase } from "../passphrase.ts";

interface Options {
  home?: string;
  passphraseFile?: string;
}

/** Clients as one sealed file: to another database, or into a safe. */
export function keysExportCommands(parent: Command, context: Context): void {
  withHome(
    parent
      .command("export")
      .description("write clients with their secrets to a file that a passphrase seals"),
  )
    .argument("[id...]", "the clients; without any all of them")
    .requiredOption("-o, --output <file>", "the file, or - to print")
    .option("--passphrase-file <file>", "the passphrase; without it PAWL_PASSPHRASE, else it is asked for")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys export -o fleet.sealed\n  pawl keys export 7 8 -o - --passphrase-file secret.txt\n\n" +
        "Who has the file and the passphrase can be every client in it, and read what those send from here on.",
    )
    .action(async (texts: string[], options: Options & { output: string }) => {
      const { io, out } = context.start();
      const ids = texts.map(clientIdArgument);
      const passphrase = await readPassphrase(options.passphraseFile, io, { twice: true });
      if (passphrase.length < MIN_PASSPHRASE) {
        throw new UsageError(
          `the passphrase has ${passphrase.length} characters; at least ${MIN_PASSPHRASE} are needed`,
        );
      }
      await withKeys(homeOf(options, io), async (keys) => {
        const clients = await chosen(keys, ids);
        const text = await sealExport({ service: keys.service, exportedAt: Date.now(), clients }, passphrase);
        if (options.output === "-") {
          io.stdout.write(text);
          return;
        }
        const file = resolve(io.cwd, options.output);
        await writeNew(file, text);
        out.object({ file, clients: clients.length });
        out.line(`${file}: ${clients.length} clients`);
      });
    });

  withHome(parent.command("import").description("enrol the clients of an export as they were, all or none"))
    .argument("<file>", "what pawl keys export wrote, or - for standard input")
    .option("--passphrase-file <file>", "the passphrase; without it PAWL_PASSPHRASE, else it is asked for")
    .option("--skip", "leave out those that are enrolled already, or were removed after the export")
    .option("--max-clients <n>", "the cap on enrolled clients")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys import fleet.sealed\n  pawl keys import fleet.sealed --skip",
    )
    .action(async (name: string, options: Options & { skip?: boolean; maxClients?: string }) => {
      const { io, out } = context.start();
      const home = homeOf(options, io);
      const text = await readText(name, io);
      const passphrase = await readPassphrase(options.passphraseFile, io, { twice: false });
      const contents = await openExport(text, passphrase, name);
      try {
        await withKeys(home, async (keys) => {
          if (contents.service !== keys.service) {
            throw new CommandError(
              `${name} is of the service "${contents.service}", this home of "${keys.service}"; nothing was imported`,
            );
          }
          const removed = await removedSince(keys, contents.exportedAt);
          const wanted: ExportedClient[] = [];
          const skipped: ClientId[] = [];
          for (const client of contents.clients) {
            const { clientId } = client;
            const enrolled = (await keys.get(clientId)) !== null;
            if (!enrolled && !removed.has(clientId)) wanted.push(client);
            else if (options.skip === true) skipped.push(clientId);
            else if (enrolled) throw new AlreadyEnrolledError(clientId);
            else {
              throw new CommandError(
                `client ${clientId} was removed after this export; --skip leaves it out, keys add enrols it with a new secret`,
              );
            }
          }
          await keys.importClients(wanted, { maxClients: home.settings.maxClients });
          out.object({ imported: wanted.map((client) => client.clientId), skipped });
          out.line(
            `imported ${wanted.length} clients${skipped.length === 0 ? "" : `, skipped ${skipped.length}`}`,
          );
        });
      } finally {
        for (const { secret } of contents.clients) wipe(secret);
      }
    });
}

async function chosen(keys: KeyStore, ids: readonly ClientId[]): Promise<ExportedClient[]> {
  const missing = new Set(ids);
  const clients: ExportedClient[] = [];
  for await (const client of keys.exportClients()) {
    if (ids.length === 0 || missing.delete(client.clientId)) clients.push(client);
    else wipe(client.secret);
  }
  for (const id of missing) {
    for (const { secret } of clients) wipe(secret);
    throw new UnknownClientError(id);
  }
  return clients;
}

/** An import must not bring back whom somebody has removed since. */
async function removedSince(keys: KeyStore, at: number): Promise<Set<ClientId>> {
  const removed = new Set<ClientId>();
  for await (const entry of keys.log()) {
    if (entry.kind === "removed" && entry.at >= at && entry.clientId !== null) removed.add(entry.clientId);
  }
  return removed;
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx", mode: 0o600, flush: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandError(
      code === "EEXIST" ? `${basename(file)} is there already; it was not overwritten` : message,
    );
  }
}

async function readText(name: string, io: Io): Promise<string> {
  if (name === "-") {
    if (io.stdin.isTTY === true) throw new UsageError("- reads an export from a pipe, not from a terminal");
    let text = "";
    for await (const chunk of io.stdin) text += chunk;
    return text;
  }
  try {
    return await readFile(resolve(io.cwd, name), "utf8");
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  }
}
