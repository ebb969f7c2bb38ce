import { Socket } from "node:net";
import { wipe } from "@pawl/protocol";
import { messageOf } from "../keys/message-of.ts";
import { CHANNEL_FD, Channel, COMMITS_FD } from "./channel.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";
import { type Start, type WorkerParts, WorkerSide } from "./worker-side.ts";

/** What the key database may take to close when the primary is gone, in milliseconds. */
const CLOSING_MS = 2_000;

/**
 * The program of a worker, to be called by the script that `createWorkers` was given. The process serves what connections its
 * primary hands over, and ends with it. Signals are the primary's to act on.
 * @param make opens what the worker has of its own, with the `data` that `createWorkers` was given, as JSON has it
 */
export function runWorker(make: (data: unknown, worker: number) => Promise<WorkerParts>): void {
  if (!process.connected) throw new Error("a worker is started by createWorkers of @pawl/server");
  // ^C reaches the whole group, and a service manager may signal every process of a service: the primary drains them.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  const program = new Program(make);
  process.on("disconnect", () => program.end(1));
}

/** From the start of the process to its end. */
class Program {
  readonly #make: (data: unknown, worker: number) => Promise<WorkerParts>;
  readonly #channel: Channel<ToPrimary, ToWorker>;
  /** Null until the primary has said how to start. */
  #parts: Promise<WorkerParts> | null = null;
  #side: WorkerSide | null = null;
  #ending = false;

  constructor(make: (data: unknown, worker: number) => Promise<WorkerParts>) {
    this.#make = make;
    this.#channel = new Channel(
      new Socket({ fd: CHANNEL_FD, readable: true, writable: true }),
      (message) => this.#receive(message),
      () => this.end(1),
    );
  }

  /**
   * Drops every connection at once: without its primary a worker has no rounds, nobody who writes for it, and nobody who keeps
   * its limits.
   */
  end(code: 0 | 1): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#side?.abort();
    setTimeout(() => process.kill(process.pid, "SIGKILL"), CLOSING_MS);
    const closed = this.#parts?.then(({ records }) => records.close()) ?? Promise.resolve();
    void closed.catch(() => {}).then(() => process.exit(code));
  }

  #receive(message: ToWorker): void {
    if (message.type === "start") void this.#start(message);
    else if (this.#side !== null) this.#side.receive(message);
    // Not open yet: there is nothing to drain.
    else if (message.type === "drain") this.end(0);
  }

  async #start(message: Start): Promise<void> {
    try {
      this.#parts = this.#make(message.data, message.worker);
      const parts = await this.#parts;
      if (!this.#ending) this.#side = new WorkerSide(this.#channel, sendCommits(), message, parts);
    } catch (error) {
      this.#channel.send({ type: "failed", message: messageOf(error) });
      await this.#channel.end();
      this.end(1);
    }
  }
}

/** The worker's end of the stream of its commits. */
function sendCommits(): (packed: Uint8Array) => void {
  const stream = new Socket({ fd: COMMITS_FD, readable: true, writable: true });
  // The primary is gone, which the channel says too.
  stream.on("error", () => {});
  return (packed) => stream.write(packed, () => wipe(packed));
}
