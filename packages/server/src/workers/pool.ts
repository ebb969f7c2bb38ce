import type { Socket } from "node:net";
import type { Clock } from "@pawl/protocol/driver";
import type { Arrival } from "../door.ts";
import type { SessionInfo } from "../endpoint.ts";
import type { ConnectionsBackend } from "../front.ts";
import { messageOf } from "../keys/message-of.ts";
import { WorkerStartError } from "./errors.ts";
import type { ToWorker, WorkerSettings } from "./messages.ts";
import { WaitingRoom } from "./waiting-room.ts";
import { WorkerProcess, type WorkerProgram } from "./worker-process.ts";
import type { Shared } from "./worker-seat.ts";

/** Before a worker that ended is started again, in milliseconds; doubled each time that it ends soon. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
/** A worker that was up for so long has not ended soon, in milliseconds. */
const SOON_MS = 60_000;
/** What a worker may take longer to drain than it was told, in milliseconds. */
const MARGIN_MS = 2_000;

/** A live session, and the worker that has it. */
export interface WorkerSession extends SessionInfo {
  readonly worker: number;
}

/** What a pool keeps running. */
export interface PoolOptions {
  readonly workers: number;
  readonly program: WorkerProgram;
  readonly settings: WorkerSettings;
  readonly data: unknown;
  readonly clock: Clock;
}

/** Keeps the processes of a server running, and spreads connections over them. */
export class WorkerPool implements ConnectionsBackend<Promise<WorkerSession[]>> {
  readonly readsElsewhere = true;
  readonly #options: PoolOptions;
  readonly #shared: Shared;
  /** By worker, from 1. */
  readonly #running = new Map<number, WorkerProcess>();
  readonly #restarts = new Map<number, () => void>();
  readonly #pauses = new Map<number, number>();
  readonly #waitingRoom: WaitingRoom;
  /** All workers have been ready once. */
  #started = false;
  #draining = false;

  constructor(options: PoolOptions, shared: Shared) {
    this.#options = options;
    this.#shared = shared;
    this.#waitingRoom = new WaitingRoom(shared.commons);
  }

  /** Resolves with the name of the workers' crypto provider when all of them take connections. @throws WorkerStartError */
  async start(): Promise<string> {
    const numbers = Array.from({ length: this.#options.workers }, (_, index) => index + 1);
    const started = await Promise.allSettled(numbers.map((worker) => this.#spawn(worker).ready));
    for (const [index, result] of started.entries()) {
      if (result.status === "fulfilled") continue;
      await this.#giveUp();
      throw new WorkerStartError(index + 1, messageOf(result.reason));
    }
    for (const [worker, running] of this.#running) this.#keep(worker, running);
    this.#started = true;
    this.#waitingRoom.empty((socket, arrival) => this.take(socket, arrival));
    return started[0]?.status === "fulfilled" ? started[0].value : "";
  }

  /** To the worker that has the fewest. Closed where there is none any more. */
  take(socket: Socket, arrival: Arrival): void {
    if (!this.#started) {
      this.#waitingRoom.wait(socket, arrival);
      return;
    }
    let chosen: WorkerProcess | null = null;
    for (const worker of this.#running.values())
      if (worker.isReady && (chosen === null || worker.connections < chosen.connections)) chosen = worker;
    if (chosen !== null) chosen.take(socket, arrival);
    else {
      socket.on("error", () => {});
      socket.destroy();
    }
  }

  tell(message: ToWorker): void {
    for (const worker of this.#running.values()) worker.send(message);
  }

  suspectStore(): void {
    this.tell({ type: "suspect-store" });
  }

  async sessions(): Promise<WorkerSession[]> {
    const workers = [...this.#running].filter(([, { isReady }]) => isReady);
    const all = await Promise.all(
      workers.map(async ([worker, running]) =>
        (await running.sessions(this.#options.clock)).map((session) => ({ ...session, worker })),
      ),
    );
    return all.flat();
  }

  /** Has every worker end its sessions, and ends those that do not end in time. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    for (const cancel of this.#restarts.values()) cancel();
    this.#restarts.clear();
    this.#waitingRoom.close();
    this.tell({ type: "drain", graceMs });
    const cancel = this.#options.clock.after(graceMs + MARGIN_MS, () => {
      for (const worker of this.#running.values()) worker.kill();
    });
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    cancel();
  }

  /** One of them did not start: ends the others. */
  async #giveUp(): Promise<void> {
    this.#waitingRoom.close();
    const running = [...this.#running.values()];
    for (const worker of running) worker.kill();
    await Promise.all(running.map(({ ended }) => ended));
    this.#running.clear();
  }

  #spawn(worker: number): WorkerProcess {
    const { program, settings, data } = this.#options;
    const { interest } = this.#shared.events;
    const running = new WorkerProcess(
      program,
      { type: "start", worker, settings, interest, data },
      this.#shared,
    );
    this.#running.set(worker, running);
    return running;
  }

  /** Says when it starts and ends, and starts another one in its place. */
  #keep(worker: number, running: WorkerProcess): void {
    const { clock } = this.#options;
    const { events } = this.#shared;
    const startedAt = clock.elapsed();
    const started = () => events.emit({ type: "worker-started", pid: running.pid ?? 0 }, worker);
    running.ready.then(started, () => {});
    void running.ended.then((how) => {
      this.#running.delete(worker);
      const { pid } = running;
      if (this.#draining) {
        events.emit({ type: "worker-ended", pid, how, againInMs: null }, worker);
        return;
      }
      const soon = clock.elapsed() - startedAt < SOON_MS;
      const before = soon ? (this.#pauses.get(worker) ?? 0) : 0;
      const pause = Math.min(Math.max(FIRST_PAUSE_MS, 2 * before), LONGEST_PAUSE_MS);
      this.#pauses.set(worker, pause);
      events.emit({ type: "worker-ended", pid, how, againInMs: pause }, worker);
      this.#restarts.set(
        worker,
        clock.after(pause, () => {
          this.#restarts.delete(worker);
          this.#keep(worker, this.#spawn(worker));
        }),
      );
    });
  }
}
