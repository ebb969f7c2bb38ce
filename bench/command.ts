import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** `pawl` from the build, as a process whose time and memory are taken. */

const CLI = fileURLToPath(new URL("../packages/cli/bin/pawl.js", import.meta.url));

/** Tells the peak of a process's resident memory on its descriptor 3 when it ends. */
const PEAK = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; import { isMainThread } from "node:worker_threads"; if (isMainThread) process.on("exit", () => writeSync(3, String(process.resourceUsage().maxRSS)));',
)}`;

export interface CommandUsage {
  readonly ms: number;
  readonly peakMiB: number;
}

export interface CommandOptions {
  /** What stdout has when its memory is to be read and it is to end; unless given, it ends by itself. */
  readonly ready?: RegExp;
  /** Ends it at once. */
  readonly signal?: AbortSignal | undefined;
}

export function runCommand(
  home: string,
  args: readonly string[],
  { ready, signal }: CommandOptions = {},
): Promise<CommandUsage> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, ["--import", PEAK, CLI, ...args, "--home", home], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      signal,
      killSignal: "SIGKILL",
    });
    let ms: number | null = null;
    let peak = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      if (ms !== null || ready === undefined || !ready.test(chunk.toString())) return;
      ms = performance.now() - start;
      child.kill("SIGTERM");
    });
    pipeOf(child, 3).on("data", (chunk: Buffer) => {
      peak += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", () => {
      const peakMiB = Number(peak) / 1_024;
      if (Number.isNaN(peakMiB) || peakMiB === 0) reject(new Error(`pawl ${args.join(" ")} failed`));
      else resolve({ ms: ms ?? performance.now() - start, peakMiB });
    });
  });
}

/** Until it listens. */
export function startServe(home: string, signal?: AbortSignal): Promise<CommandUsage> {
  const args = ["serve", "--listen", "127.0.0.1:0", "--log", "off"];
  return runCommand(home, args, { ready: /serves on/, signal });
}

function pipeOf(child: ChildProcess, descriptor: number): NodeJS.ReadableStream {
  return child.stdio[descriptor] as NodeJS.ReadableStream;
}
