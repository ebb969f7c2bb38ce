import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The command as a user has it, from the build. */
const PAWL = fileURLToPath(new URL("../../packages/cli/bin/pawl.js", import.meta.url));

/** Far above what anything takes: not a promise, the end of patience on a busy machine. */
export const HANGS_MS = 15_000;

/** One `pawl` whose output goes straight into files, where it outlives a kill. */
export interface PawlProcess {
  readonly out: string;
  readonly err: string;
  readonly alive: boolean;
  readonly exit: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  /** The objects on its stdout so far. A last line that was cut short by a kill is left out. */
  objects(): Promise<Record<string, unknown>[]>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A file; nothing unless given. */
  readonly input?: string;
  /** Where its stdout and stderr go: `<output>.out` and `<output>.err`. */
  readonly output: string;
}

/** All that were started here and have not ended; nothing else is ever killed. */
export class Processes {
  readonly #running = new Set<ChildProcess>();
  #ended = false;

  start({ args, env = {}, input, output }: StartOptions): PawlProcess {
    if (this.#ended) throw new Error("nothing is started any more");
    const [out, err] = [`${output}.out`, `${output}.err`];
    const stdio = [openSync(input ?? "/dev/null", "r"), openSync(out, "w"), openSync(err, "w")];
    const child = spawn(process.execPath, [PAWL, ...args], {
      // Nothing of our own environment: neither colours nor settings of Pawl.
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...env },
      stdio,
    });
    for (const descriptor of stdio) closeSync(descriptor);
    this.#running.add(child);
    let alive = true;
    const exit = new Promise<Exit>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        alive = false;
        this.#running.delete(child);
        resolve({ code, signal });
      });
    });
    return {
      out,
      err,
      get alive() {
        return alive;
      },
      exit,
      kill: (signal) => void child.kill(signal),
      objects: async () => wholeLines(await readFile(out, "utf8")).map((line) => JSON.parse(line)),
    };
  }

  /** Runs it to its end. @throws where it fails */
  async run(options: StartOptions): Promise<Record<string, unknown>[]> {
    const started = this.start(options);
    const { code } = await started.exit;
    if (code !== 0) throw new Error(`pawl ${options.args.join(" ")}: ${await readFile(started.err, "utf8")}`);
    return started.objects();
  }

  /** From here on nothing is started. */
  killAll(): void {
    this.#ended = true;
    for (const child of this.#running) child.kill("SIGKILL");
  }
}

function wholeLines(text: string): string[] {
  const lines = text.split("\n");
  // Behind the last line feed: nothing, or a line that was not finished.
  lines.pop();
  return lines;
}

/** Asks again and again until there is an answer, for so long. Null: there was none. */
export async function eventually<T>(ms: number, ask: () => Promise<T | null>, every = 15): Promise<T | null> {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== null || performance.now() > deadline) return answer;
    await pause(every);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether it ended by itself within so many milliseconds. */
export async function endsWithin(ms: number, child: PawlProcess): Promise<boolean> {
  return (await eventually(ms, async () => (child.alive ? null : true))) !== null;
}
