import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Answers, Command, Reply } from "./commands.ts";

const WORKER = new URL("./worker.ts", import.meta.url);

const running = new Set<ChildProcess>();

/**
 * A process of the bench, from this side. It runs the built packages: a loader reads only the few files of this folder.
 * `C` is what it can be asked, `A` what it answers to which.
 */
export class Worker<C extends { type: string } = Command, A extends object = Answers> {
  readonly #child: ChildProcess;
  #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | null = null;
  #ended = false;

  constructor(script: URL = WORKER) {
    const { PAWL_CRYPTO: _, ...env } = process.env;
    this.#child = fork(fileURLToPath(script), [], {
      env,
      // Without the condition that vitest and others set: the sources are not what users have.
      execArgv: ["--import", "tsx/esm", "--expose-gc"],
      // Out of the reach of ^C, which is for the bench: it ends them.
      detached: true,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    endsWithBench(this.#child);
    this.#child.on("message", (reply: Reply) => {
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting?.resolve(reply);
    });
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

/** ^C takes it too. */
export function endsWithBench(child: ChildProcess): void {
  running.add(child);
  child.once("exit", () => running.delete(child));
}

export function endAll(): void {
  for (const child of running) child.kill("SIGKILL");
}
