import { type ChildProcess, fork } from "node:child_process";
import type { Answers, Command, Reply } from "./commands.ts";

const WORKER = new URL("./worker.ts", import.meta.url).pathname;

const running = new Set<ChildProcess>();

/** A process of the bench, from this side. It runs the built packages: a loader reads only the few files of this folder. */
export class Worker {
  readonly #child: ChildProcess;
  #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | null = null;
  #ended = false;

  constructor() {
    const { PAWL_CRYPTO: _, ...env } = process.env;
    this.#child = fork(WORKER, [], {
      env,
      // Without the condition that vitest and others set: the sources are not what users have.
      execArgv: ["--import", "tsx/esm", "--expose-gc"],
      // Out of the reach of ^C, which is for the bench: it ends them.
      detached: true,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    running.add(this.#child);
    this.#child.on("message", (reply: Reply) => {
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting?.resolve(reply);
    });
    this.#child.once("exit", (code, signal) => {
      running.delete(this.#child);
      this.#ended = true;
      this.#waiting?.reject(new Error(`a process of the bench ended early (${signal ?? code})`));
    });
  }

  /** One command at a time. */
  async ask<T extends Command>(command: T): Promise<Answers[T["type"]]> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#ended) reject(new Error("a process of the bench has ended"));
      else this.#child.send(command);
    });
    if ("failure" in reply) throw new Error(reply.failure);
    // Each command has its kind of answer, in one place of the worker.
    return reply.answer as Answers[T["type"]];
  }

  /** At once: it has nothing to keep. */
  async end(): Promise<void> {
    if (this.#ended) return;
    const exit = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await exit;
  }
}

export function endAll(): void {
  for (const child of running) child.kill("SIGKILL");
}
