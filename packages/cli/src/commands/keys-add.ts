import { readFile, stat, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Credential, parseAddress, serializeCredential, writeCredentialFile } from "@pawl/client";
import {
  type ClientId,
  clientId,
  copyOf,
  type Epoch,
  importPsk,
  LAST_BYTES,
  MAX_U32,
  nodeCrypto,
  SECRET_BYTES,
  SUITES,
  type Suite,
  suiteByName,
  utf8,
  wipe,
} from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import type { KeyStore, NewClient } from "@pawl/server/keys";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { CommandError, UsageError } from "../exit.ts";
import { homeOf, openKeys } from "../home.ts";
import { readSettings, type Settings } from "../settings.ts";
import { formatAddress, parseInteger } from "../units.ts";

interface Options {
  home?: string;
  id?: string;
  label?: string;
  count?: string;
  suite: string;
  allowClassic?: boolean;
  pskFile?: string;
  enrolment?: string;
  service: string;
  server?: string;
  output?: string;
  maxClients?: string;
}

export function keysAddCommand(parent: Command, context: Context): void {
  parent
    .command("add")
    .description("enrol clients and write their credential files (mode 0600)")
    .option("--home <dir>", "the home; without it PAWL_HOME, else ./pawl")
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
      "take the secret from a pre-shared key: its bytes, at least 16, are the file's",
    )
    .option(
      "--enrolment <n>",
      "with --psk-file: 0, 1, … raised each time that the same key is imported again",
    )
    .option("--service <name>", "with --psk-file: names this server, on both sides", "pawl")
    .option("--server <address>", "the address to put into the credential; without it the one of --listen")
    .option("-o, --output <path>", "a file, a folder, or - to print; without it client-<id>.pawl here")
    .option("--max-clients <n>", "the cap on enrolled clients")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys add --label 'meter in the cellar'\n  pawl keys add --count 50 -o credentials/\n" +
        "  pawl keys add --id 7 --psk-file meter-7.key --enrolment 0 -o -",
    )
    .action(async (options: Options) => {
      const { io, out } = context.start();
      const home = homeOf(options.home, io);
      const request = readRequest(options);
      const settings = readSettings({ maxClients: options.maxClients }, io.env, home);
      const psk = options.pskFile === undefined ? null : await readPsk(resolve(io.cwd, options.pskFile));
      const keys = await openKeys(home);
      try {
        const ids = request.id === null ? await keys.freeIds(request.count) : [request.id];
        const made = ids.map((id) => makeClient(id, request, psk, serverOf(options, settings)));
        if (options.output === "-") {
          await enrol(keys, made, settings);
          for (const { credential } of made) io.stdout.write(serializeCredential(credential));
          return;
        }
        const folder = await folderOf(options.output, io.cwd, ids.length);
        const paths = ids.map((id) => folder.pathOf(id));
        // The file comes first: a crash in between leaves a credential that nobody takes, not a client without one.
        await writeAll(paths, made, () => enrol(keys, made, settings));
        for (const [index, { client }] of made.entries()) {
          out.object({
            clientId: client.clientId,
            suite: client.suite.name,
            label: request.label,
            file: paths[index],
          });
          out.line(`client ${client.clientId}: ${paths[index]}`);
        }
      } finally {
        wipe(psk);
        await keys.close();
      }
    });
}

interface Request {
  readonly id: ClientId | null;
  readonly count: number;
  readonly suite: Suite;
  readonly label: string | null;
  readonly enrolment: number;
  readonly service: string;
}

function readRequest(options: Options): Request {
  const number = (flag: string, text: string, least: number) => {
    try {
      return parseInteger(text, least, MAX_U32);
    } catch (error) {
      throw new UsageError(
        `${flag}: ${error instanceof Error ? error.message : error}, found ${JSON.stringify(text)}`,
      );
    }
  };
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
  const count = number("--count", options.count ?? "1", 1);
  if (options.id !== undefined && count !== 1)
    throw new UsageError("--id is for one client, not for --count");
  if (options.pskFile !== undefined && count !== 1)
    throw new UsageError("--psk-file is for one client, not for --count");
  if (options.pskFile === undefined && options.enrolment !== undefined) {
    throw new UsageError("--enrolment goes with --psk-file");
  }
  return {
    id: options.id === undefined ? null : clientId(number("--id", options.id, 1)),
    count,
    suite,
    label: options.label ?? null,
    enrolment: number("--enrolment", options.enrolment ?? "0", 0),
    service: options.service,
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

function serverOf({ server }: Options, settings: Settings): string | null {
  if (server !== undefined) {
    parseAddress(server);
    return server;
  }
  const { host, port } = settings.listen;
  return host === "0.0.0.0" || host === "::" || port === 0 ? null : formatAddress({ host, port });
}

interface Made {
  readonly client: NewClient;
  readonly credential: Credential;
}

/** The base key of the lab protocol, which is no secret (section 3). */
const BASEKEY = utf8("basekey");

function makeClient(id: ClientId, request: Request, psk: Uint8Array | null, server: string | null): Made {
  const { suite, label, enrolment, service } = request;
  let secret: Uint8Array;
  let importCheck: Uint8Array | null = null;
  if (!suite.strict) secret = copyOf(BASEKEY);
  else if (psk === null) secret = systemRandom(SECRET_BYTES);
  else {
    const imported = importPsk(nodeCrypto, { suite, clientId: id, psk, enrolment, service });
    secret = imported.secret;
    importCheck = imported.check;
  }
  return {
    client: { clientId: id, suite, secret, label, importCheck },
    credential: {
      suite,
      clientId: id,
      epoch: 0 as Epoch,
      secret,
      last: new Uint8Array(LAST_BYTES),
      ...(psk === null ? {} : { service }),
      ...(server === null ? {} : { server }),
    },
  };
}

async function enrol(keys: KeyStore, made: readonly Made[], { maxClients }: Settings): Promise<void> {
  await keys.add(
    made.map(({ client }) => client),
    { maxClients },
  );
}

async function folderOf(output: string | undefined, cwd: string, count: number) {
  const path = resolve(cwd, output ?? ".");
  const isFolder =
    output === undefined ||
    output.endsWith("/") ||
    (await stat(path).then(
      (s) => s.isDirectory(),
      () => false,
    ));
  if (!isFolder && count > 1) throw new UsageError("-o: with --count expected a folder that exists");
  return { pathOf: (id: ClientId) => (isFolder ? join(path, `client-${id}.pawl`) : path) };
}

/** Writes every file, then enrols; takes the files back where anything fails. */
async function writeAll(
  paths: readonly string[],
  made: readonly Made[],
  enrolAll: () => Promise<void>,
): Promise<void> {
  const written: string[] = [];
  try {
    for (const [index, { credential }] of made.entries()) {
      const path = paths[index] ?? "";
      await writeCredentialFile(path, credential);
      written.push(path);
    }
    await enrolAll();
  } catch (error) {
    for (const path of written) await unlink(path).catch(() => {});
    throw error;
  } finally {
    for (const { credential } of made) wipe(credential.secret);
  }
}
