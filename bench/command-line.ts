import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { statusLine } from "@pawl/bench";

/** What the command lines of all benches have in common. */

/** What is wrong with the command line, in one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

type Flags = Readonly<Record<string, { readonly type: "boolean" | "string"; readonly short?: string }>>;

/** @throws UsageError */
export function parseFlags<const F extends Flags>(args: readonly string[], flags: F) {
  try {
    return parseArgs({ args: [...args], options: flags }).values;
  } catch (error) {
    const [what] = (error instanceof Error ? error.message : String(error)).split(/[.\n]/);
    throw new UsageError(`${what}; --help shows what there is`);
  }
}

/** The flags of a bench that is one script; the process ends where there is nothing to run. */
export function flagsOf<const F extends Flags>(usage: string, flags: F) {
  try {
    const args = process.argv.slice(2);
    if (!args.includes("--help")) return parseFlags(args, flags);
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    complain(error);
    process.exit();
  }
}

/** Runs a bench with a folder of its own. Its folder goes with it, and its processes, which take the signal, also on ^C. */
export async function program<Options extends { readonly help: boolean }>(
  usage: string,
  parse: (args: readonly string[]) => Options,
  run: (options: Options, folder: string, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const processes = new AbortController();
  try {
    const options = parse(process.argv.slice(2));
    if (options.help) process.stdout.write(usage);
    else await inFolder(processes, (folder) => run(options, folder, processes.signal));
  } catch (error) {
    processes.abort();
    complain(error);
  }
}

async function inFolder(processes: AbortController, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-bench-"));
  const leave = () => rmSync(folder, { recursive: true, force: true });
  const stop = (status: number) => () => {
    processes.abort();
    leave();
    process.exit(status);
  };
  process.once("SIGINT", stop(130)).once("SIGTERM", stop(143));
  try {
    await work(folder);
  } finally {
    leave();
  }
}

function complain(error: unknown): void {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

/** On a terminal alone. */
export const progress = statusLine(process.stderr);
