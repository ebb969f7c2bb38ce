import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Programs of the checkout as processes: the command from the build, the rest from the sources. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const LOADER = [
  "--conditions=pawl-source",
  "--import",
  new URL("../../node_modules/tsx/dist/esm/index.mjs", import.meta.url).href,
];

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until stdout or stderr has a match, and gives it. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  readonly finished: Promise<Finished>;
}

export function start(
  script: string,
  args: readonly string[],
  options: {
    cwd?: string;
    env?: Record<string, string>;
    input?: string;
    /** It leads a process group of its own, which can be signalled as a terminal does it. */
    group?: boolean;
  } = {},
): Running {
  const loader = script.endsWith(".ts") ? LOADER : [];
  const child = spawn(process.execPath, [...loader, `${root}${script}`, ...args], {
    cwd: options.cwd ?? root,
    // Nothing of the test runner's own environment: neither its colours nor settings of Pawl.
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    detached: options.group === true,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {});
  if (options.input !== undefined) child.stdin.end(options.input);
  const finished = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    finished,
    until: async (pattern) => {
      for (;;) {
        const match = pattern.exec(stdout) ?? pattern.exec(stderr);
        if (match !== null) return match;
        const ended = await Promise.race([
          once(child.stdout, "data").then(() => false),
          once(child.stderr, "data").then(() => false),
          finished.then(() => true),
        ]);
        if (ended) throw new Error(`ended without ${pattern}: ${stdout}\n${stderr}`);
      }
    },
  };
}

/** The command, from the build. */
export const pawl = (args: readonly string[], options: Parameters<typeof start>[2] = {}) =>
  start("packages/cli/bin/pawl.js", args, options);

/** Runs it to its end, with no input. */
export const pawlOnce = (args: readonly string[], options: Parameters<typeof start>[2] = {}) =>
  pawl(args, { input: "", ...options }).finished;
