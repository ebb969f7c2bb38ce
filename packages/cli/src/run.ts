import { readFileSync } from "node:fs";
import { defaultCrypto } from "@pawl/protocol";
import { Command, CommanderError } from "commander";
import { COMMANDS } from "./commands/index.ts";
import { createContext } from "./context.ts";
import { EXIT, type ExitCode, exitCodeOf, lineOf } from "./exit.ts";
import type { Io } from "./io.ts";

/** Runs one command line, without the program's own name. Resolves with the exit code; errors are one line on stderr. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const program = new Command("pawl")
    .description("a secure channel between a server and a fleet of clients, on symmetric keys alone")
    .version(version(), "-V, --version")
    .option("--json", "output for machines: one object, or one a line")
    .helpCommand("help [command]", "help for a command")
    .showSuggestionAfterError(true)
    .addHelpText(
      "after",
      "\nExamples:\n  pawl demo\n  pawl init && pawl keys add && pawl serve\n  pawl connect client-1.pawl\n\n" +
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a security violation ended it, 4 the server cannot be reached, 130 interrupted",
    );
  const context = createContext(program, io);
  for (const add of COMMANDS) add(program, context);
  prepare(program, io);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return usageCode(error);
    io.stderr.write(`pawl: ${lineOf(error)}\n`);
    return exitCodeOf(error);
  }
}

/** Commander's own errors come out as one line, and as an exit code instead of an exit. */
function prepare(command: Command, io: Io): void {
  command
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) =>
        write(
          `pawl: ${text
            .replace(/^error: /, "")
            .trim()
            .replaceAll(/\s*\n\s*/g, " ")}; see ${fullName(command)} --help\n`,
        ),
    });
  for (const child of command.commands) prepare(child, io);
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function usageCode(error: CommanderError): ExitCode {
  // Help that was asked for is no error; help that is shown for want of a command is.
  return ["commander.helpDisplayed", "commander.version"].includes(error.code) ? EXIT.done : EXIT.usage;
}

function version(): string {
  const { version: text } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const { node, openssl } = process.versions;
  return `pawl ${text}, Node.js ${node}, OpenSSL ${openssl}, crypto ${cryptoName()}`;
}

/** What the commands of this process use. */
function cryptoName(): string {
  try {
    return defaultCrypto().name;
  } catch (error) {
    return lineOf(error);
  }
}
