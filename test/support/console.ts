import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** The `console` blocks of a document, and a shell that runs them. */

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface TypedCommand {
  readonly line: number;
  readonly command: string;
  /** What the document says it prints; `…` stands for any text, on a line of its own for any lines. */
  readonly output: string;
}

/** Every `$ command` of the ```console blocks, in order, with the lines below it. */
export function typedCommands(file: string): TypedCommand[] {
  const commands: { line: number; command: string; output: string[] }[] = [];
  let inside = false;
  for (const [index, text] of readFileSync(file, "utf8").split("\n").entries()) {
    if (text.startsWith("```")) inside = text === "```console";
    else if (inside && text.startsWith("$ "))
      commands.push({ line: index + 1, command: text.slice(2), output: [] });
    else if (inside) commands.at(-1)?.output.push(text);
  }
  return commands.map(({ output, ...rest }) => ({ ...rest, output: output.join("\n") }));
}

/** Whether what was printed is what the document says. */
export function matches(output: string, printed: string): boolean {
  const lines = output.split("\n").map((line) => {
    if (line.trim() === "…") return "(?:.*\\n)*?";
    return `${line.split("…").map(escaped).join(".*")}\\n`;
  });
  return new RegExp(`^${output === "" ? "" : lines.join("")}$`).test(
    printed === "" ? "" : `${printed.trimEnd()}\n`,
  );
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

const MARK = "-- done --";
const READY_MS = 20_000;

/** One shell for a whole document, as a reader has one. */
export class Shell {
  readonly #cwd: string;
  readonly #child;
  #printed = "";

  constructor(cwd: string) {
    this.#cwd = cwd;
    const { PATH = "" } = process.env;
    this.#child = spawn("bash", ["--noprofile", "--norc"], {
      cwd,
      env: { PATH: `${join(root, "node_modules/.bin")}:${PATH}`, HOME: cwd, COLUMNS: "140" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#printed += text;
    });
  }

  /** What a command prints on both streams. A command in the background has started when its file has a line. */
  async run(command: string): Promise<string> {
    this.#printed = "";
    this.#child.stdin.write(
      `{ ${command}${command.endsWith("&") ? "" : ";"} } 2>&1\nprintf '\\n%s\\n' '${MARK}'\n`,
    );
    while (!this.#printed.endsWith(`\n${MARK}\n`)) {
      if (this.#child.exitCode !== null) throw new Error(`the shell ended: ${this.#printed}`);
      await sleep(10);
    }
    const [, log] = /> ([\w./-]+) .*&$/.exec(command) ?? [];
    if (log !== undefined) await this.#begun(resolve(this.#cwd, log));
    return this.#printed.slice(0, -`\n${MARK}\n`.length).trimEnd();
  }

  /** Ends what is left in the background, and the shell. */
  async close(): Promise<void> {
    this.#child.stdin.end("kill $(jobs -p) 2>/dev/null; wait\n");
    if (this.#child.exitCode === null) await new Promise((done) => this.#child.once("close", done));
  }

  async #begun(log: string): Promise<void> {
    for (const until = Date.now() + READY_MS; Date.now() < until; await sleep(20)) {
      if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
    }
    throw new Error(`nothing was written to ${log}`);
  }
}
