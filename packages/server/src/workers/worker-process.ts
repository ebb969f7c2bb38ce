import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "@pawl/protocol/driver";
import type { Arrival } from "../door.ts";
import type { SessionInfo } from "../endpoint.ts";
import { CHANNEL_FD, Channel, COMMITS_FD } from "./channel.ts";
import { HandoverQueue } from "./handover.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";
import { type Shared, WorkerSeat } from "./worker-seat.ts";

/** How a worker's program is started. */
export interface WorkerProgram {
  /** A script that calls `runWorker`. */
  readonly script: string | URL;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Options of Node.js. */
  readonly execArgv: readonly string[];
}

/** What a worker that could not start says of it. */
export class WorkerFailure extends Error {}

/** One process, from its start to its end. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #channel: Channel<ToWorker, ToPrimary>;
  readonly #seat: WorkerSeat;
  readonly #handover: HandoverQueue;
  #failure: string | null = null;
  #ready = false;
  /** Resolves with the name of its crypto provider. @throws WorkerFailure */
  readonly ready: Promise<string>;
  /** Resolves when all that it said has been heard, with how it ended, for people. */
  readonly ended: Promise<string>;

  constructor(
    { script, env, execArgv }: WorkerProgram,
    start: Extract<ToWorker, { type: "start" }>,
    shared: Shared,
  ) {
    const child = fork(script, [], {
      env: { ...env },
      execArgv: [...execArgv],
      stdio: ["ignore", "inherit", "inherit", "pipe", "pipe", "ipc"],
    });
    this.#child = child;
    this.#handover = new HandoverQueue(child);
    let heard = (_message: ToPrimary) => {};
    // What `stdio` asks for at these places: sockets.
    const [channel, commits] = [child.stdio[CHANNEL_FD], child.stdio[COMMITS_FD]] as [Duplex, Duplex];
    this.#channel = new Channel(
      channel,
      (message) => heard(message),
      () => {},
    );
    this.#seat = new WorkerSeat(
      start.worker,
      shared,
      (message) => this.#channel.send(message),
      (id) => this.#handover.drop(id),
    );
    commits.on("data", (chunk: Uint8Array) => this.#seat.commits(chunk));
    // As of the channel: the end of the process says it all.
    commits.on("error", () => {});
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(this.#failure ?? signal ?? `exit code ${code}`));
    });
    void this.ended.then(() => this.#lost());
    this.ready = new Promise((resolve, reject) => {
      heard = (message) => {
        if (message.type === "failed") this.#failure = message.message;
        else if (message.type === "ready") {
          this.#ready = true;
          resolve(message.crypto);
        } else this.#seat.receive(message);
      };
      void this.ended.then((how) => reject(new WorkerFailure(how)));
    });
    // Whoever is not interested in the start sees the end.
    this.ready.catch(() => {});
    this.#channel.send(start);
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** It takes connections. */
  get isReady(): boolean {
    return this.#ready;
  }

  get connections(): number {
    return this.#seat.connections;
  }

  send(message: ToWorker): void {
    this.#channel.send(message);
  }

  sessions(clock: Clock): Promise<readonly SessionInfo[]> {
    return this.#seat.sessions(clock);
  }

  take(socket: Socket, arrival: Arrival): void {
    this.#seat.arrived(arrival);
    this.#handover.give(socket, arrival, () => this.#seat.ended(arrival.id));
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #lost(): void {
    this.#ready = false;
    this.#handover.clear();
    this.#seat.lost();
  }
}
