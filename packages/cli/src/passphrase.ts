import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isCancel, password } from "@clack/prompts";
import { CommandError, InterruptedError, UsageError } from "./exit.ts";
import type { Io } from "./io.ts";

/**
 * A passphrase: from a file, the variable `PAWL_PASSPHRASE`, or asked for on a terminal, never from the command line.
 * @param options `twice`: asked for again, where a slip would lock the file for ever
 * @throws UsageError, CommandError, InterruptedError
 */
export async function readPassphrase(
  file: string | undefined,
  io: Io,
  { twice }: { readonly twice: boolean },
): Promise<string> {
  if (file !== undefined) {
    try {
      return (await readFile(resolve(io.cwd, file), "utf8")).replace(/\r?\n$/, "");
    } catch (error) {
      throw new CommandError(`--passphrase-file: ${error instanceof Error ? error.message : error}`);
    }
  }
  const { PAWL_PASSPHRASE: variable } = io.env;
  if (variable !== undefined && variable !== "") return variable;
  if (io.stdin.isTTY !== true || io.stderr.isTTY !== true) {
    throw new UsageError(
      "a passphrase is needed: --passphrase-file, PAWL_PASSPHRASE, or a terminal to ask on",
    );
  }
  const first = await ask("Passphrase", io);
  if (twice && (await ask("The same once more", io)) !== first) {
    throw new CommandError("the two passphrases differ; nothing was written");
  }
  return first;
}

async function ask(message: string, io: Io): Promise<string> {
  const answer = await password({ message, input: io.stdin, output: io.stderr, signal: io.stop });
  if (isCancel(answer)) throw new InterruptedError();
  return answer;
}
