import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { serializeCredential } from "@pawl/client";
import {
  type ClientId,
  clientId,
  copyOf,
  MAX_U32,
  SUITES,
  type Suite,
  suiteByName,
  wipe,
} from "@pawl/protocol";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { credentialPaths, enrolmentOf, serverOf, writeCredentials } from "../enrolment.ts";
import { CommandError, UsageError } from "../exit.ts";
import { integerFlag } from "../flags.ts";
import { homeOf, withHome, withKeys } from "../home.ts";
import { progressBar } from "../progress.ts";

interface Options {
  home?: string;
  id?: string;
  label?: string;
  count?: string;
  suite: string;
  allowClassic?: boolean;
  pskFile?: string;
  enrolment?: string;
  server?: string;
  output?: string;
  maxClients?: string;
}

export function keysAddCommand(parent: Command, context: Context): void {
  withHome(parent.command("add").description("enrol clients and write their credential files (mode 0600)"))
    .option("--id <n>", "the client's id; without it the lowest that is free")
    .option("--label <text>", "a name for people")
    .option("--count <n>", "how many clients to enrol", "1")
    .option("--suite <name>", "strict, strict-gcm (for large messages) or classic (for study)", "strict")
    .option(
      "--allow-classic",
      "needed for --suite classic, whose base key is known to all who read its description",
    )
    .option(
      "--psk-file <file>",
      "take the secret from a pre-shared key: its bytes, at least 16, are the file's; bound to the home's service",
    )
    .option(
      "--enrolment <n>",
      "with --psk-file: 0, 1, … raised each time that the same key is imported again",
    )
    .option("--server <address>", "the address to put into the credential; without it the one of --listen")
    .option("-o, --output <path>", "a file, a folder, or - to print; without it client-<id>.pawl here")
    .option("--max-clients <n>", "the cap on enrolled clients")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys add --label 'meter in the cellar'\n  pawl keys add --count 1000 --max-clients 5000 -o credentials/\n" +
        "  pawl keys add --id 7 --psk-file meter-7.key --enrolment 0 -o -",
    )
    .action(async (options: Options) => {
      const { io, out } = context.start();
      const request = readRequest(options);
      const home = homeOf(options, io);
      const psk = options.pskFile === undefined ? null : await readPsk(resolve(io.cwd, options.pskFile));
      const { suite, label, enrolment } = request;
      const server = serverOf(options.server, home.settings);
      const { maxClients } = home.settings;
      await withKeys(home, async (keys) => {
        const ids = request.id === null ? await keys.freeIds(request.count) : [request.id];
        const imported = psk === null ? null : { psk, enrolment, service: keys.service };
        const made = ids.map((id) => enrolmentOf(id, { suite, label, imported, server }));
        const enrol = () =>
          keys.add(
            made.map(({ client }) => client),
            { maxClients },
          );
        if (options.output === "-") {
          await enrol();
          for (const { credential } of made) io.stdout.write(serializeCredential(credential));
          return;
        }
        const paths = await credentialPaths(options.output, io.cwd, ids);
        const bar = progressBar(io, out, "credentials", ids.length);
        try {
          await writeCredentials(made, paths, enrol, (done) => bar.update(done));
        } finally {
          bar.stop();
        }
        for (const [index, { client }] of made.entries()) {
          out.object({ clientId: client.clientId, suite: suite.name, label, file: paths[index] });
          out.line(`client ${client.clientId}: ${paths[index]}`);
        }
      }).finally(() => wipe(psk));
    });
}

interface Request {
  readonly id: ClientId | null;
  readonly count: number;
  readonly suite: Suite;
  readonly label: string | null;
  readonly enrolment: number;
}

function readRequest(options: Options): Request {
  const suite = suiteByName(options.suite);
  if (suite === undefined) {
    throw new UsageError(
      `--suite: expected ${SUITES.map(({ name }) => name).join(", ")}, found "${options.suite}"`,
    );
  }
  if (!suite.strict && options.allowClassic !== true) {
    throw new UsageError(
      "--suite classic is for study and needs --allow-classic: who knows its base key reads it all",
    );
  }
  const count = integerFlag("--count", options.count ?? "1", 1, MAX_U32);
  if (options.id !== undefined && count !== 1)
    throw new UsageError("--id is for one client, not for --count");
  if (options.pskFile !== undefined && count !== 1)
    throw new UsageError("--psk-file is for one client, not for --count");
  if (options.pskFile === undefined && options.enrolment !== undefined) {
    throw new UsageError("--enrolment goes with --psk-file");
  }
  return {
    id: options.id === undefined ? null : clientId(integerFlag("--id", options.id, 1, MAX_U32)),
    count,
    suite,
    label: options.label ?? null,
    enrolment: integerFlag("--enrolment", options.enrolment ?? "0", 0, MAX_U32),
  };
}

/** The bytes of the file, but for a line feed that an editor put at the end of text. */
async function readPsk(path: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path);
    const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
    const psk = copyOf(bytes, 0, end);
    bytes.fill(0);
    return psk;
  } catch (error) {
    throw new CommandError(`${path}: ${error instanceof Error ? error.message : error}`);
  }
}
