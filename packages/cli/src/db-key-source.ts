import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { parseDbKeys, readDbKeyFile } from "@pawl/server/keys";
import { CommandError } from "./exit.ts";
import type { Settings } from "./settings.ts";

/** How long a command may take that asks a secret manager, in milliseconds. */
const COMMAND_MS = 30_000;
/** A few keys; what is longer is no key. */
const MOST_OUTPUT = 4_096;

/**
 * Where the db keys come from: the variable `PAWL_DB_KEY` (the key itself), else a command that prints it, else a file. Each
 * may hold several keys while the database moves from one to the next.
 */
export interface DbKeySource {
  readonly kind: "variable" | "command" | "file";
  /** Of the file; it may not be there. */
  readonly path: string;
  /** For messages. */
  readonly name: string;
  /** Asked anew each time. None where the file is not there. @throws StoreError, CommandError: never with the key */
  load(): Promise<Uint8Array[]>;
}

export function dbKeySource(
  { dbKeyFile, dbKeyCommand }: Pick<Settings, "dbKeyFile" | "dbKeyCommand">,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): DbKeySource {
  const path = resolve(home, dbKeyFile);
  const variable = env.PAWL_DB_KEY;
  if (variable !== undefined && variable !== "") {
    const name = "PAWL_DB_KEY";
    return { kind: "variable", path, name, load: async () => parseDbKeys(variable, name) };
  }
  if (dbKeyCommand !== null) {
    const name = "the output of db-key-command";
    const load = async () => parseDbKeys(await outputOf(dbKeyCommand, env), name);
    return { kind: "command", path, name, load };
  }
  return {
    kind: "file",
    path,
    name: path,
    load: async () => ((await isThere(path)) ? readDbKeyFile(path) : []),
  };
}

/** What the command prints on stdout; its stderr is ours. @throws CommandError */
function outputOf(command: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) =>
      reject(new CommandError(`db-key-command: ${what}; run it by hand to see why`));
    const child = spawn(command, {
      shell: true,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...env },
      timeout: COMMAND_MS,
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MOST_OUTPUT) child.kill();
      else chunks.push(chunk);
    });
    child.once("error", (error) => fail(error.message));
    child.once("close", (code, signal) => {
      const bytes = Buffer.concat(chunks);
      for (const chunk of chunks) chunk.fill(0);
      if (length > MOST_OUTPUT) fail("printed more than a db key");
      else if (signal !== null)
        fail(child.killed ? `did not end within ${COMMAND_MS / 1_000} s` : `was ended by ${signal}`);
      else if (code !== 0) fail(`ended with exit code ${code}`);
      else resolve(bytes.toString("latin1"));
      bytes.fill(0);
    });
  });
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
