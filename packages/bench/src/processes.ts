import { type ChildProcess, fork } from "node:child_process";
import { setMaxListeners } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answers, Command, Reply } from "./commands.ts";

export interface WorkerOptions {
  /** Flags of Node.js that its program needs. */
  readonly execArgv?: readonly string[];
  /** Ends it at once. */
  readonly signal?: AbortSignal | undefined;
}

/** Where processes find targets: a module that exports `TARGETS`, and flags of Node.js that it needs, as for TypeScript. */
export interface TargetSource {
  readonly module: URL;
  readonly execArgv: readonly string[];
}

export const OWN_TARGETS: TargetSource = { module: built("targets/index.js"), execArgv: [] };
export const WORKER = built("worker.js");
export const RECORD_WORKER = built("record/worker.js");

/** A file of the build, also where this runs from the sources: those are not what users have. */
function built(file: string): URL {
  return new URL(`../dist/${file}`, import.meta.url);
}

/** A process of a bench, from this side. `C` is what it can be asked, `A` what it answers to which. */
export class Worker<C extends { type: string } = Command, A extends object = Answers> {
  readonly #child: ChildProcess;
  #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | null = null;
  #ended = false;

  constructor(script: URL, { execArgv = [], signal }: WorkerOptions = {}) {
    const { PAWL_CRYPTO: _, ...env } = process.env;
    // Each process of a bench listens to it, of which Node.js would warn as of a leak.
    if (signal !== undefined) setMaxListeners(0, signal);
    this.#child = fork(fileURLToPath(script), [], {
      env,
      // Not those of this process: with the condition that tests set it would run the sources.
      execArgv: [...execArgv, "--expose-gc"],
      // Out of the reach of ^C, which is for the bench: it ends them.
      detached: true,
      signal,
      killSignal: "SIGKILL",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child.on("message", (reply: Reply) => {
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting?.resolve(reply);
    });
    // It could not be started, or has been ended by the signal.
    this.#child.on("error", (error) => this.#waiting?.reject(error));
    this.#child.once("exit", (code, signal) => {
      this.#ended = true;
      this.#waiting?.reject(new Error(`a process of the bench ended early (${signal ?? code})`));
    });
  }

  /** One command at a time. */
  async ask<T extends C>(command: T): Promise<A[T["type"] & keyof A]> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#ended) reject(new Error("a process of the bench has ended"));
      else this.#child.send(command);
    });
    if ("failure" in reply) throw new Error(reply.failure);
    // Each command has its kind of answer, in one place of the worker.
    return reply.answer as A[T["type"] & keyof A];
  }

  /** At once: it has nothing to keep. */
  async end(): Promise<void> {
    if (this.#ended) return;
    const exit = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await exit;
  }
}
