import { Door } from "../door.ts";
import type { SessionInfo } from "../endpoint.ts";
import { OptionError } from "../errors.ts";
import { EventBus } from "../events.ts";
import { Housekeeping } from "../housekeeping.ts";
import { type ResolvedOptions, resolveOptions, type ServerOptions } from "../options.ts";
import { OwnCommons } from "../own-commons.ts";
import { Rounds, type RoundsSeat, tellSeats } from "../rounds/index.ts";
import type { WorkerSettings } from "./messages.ts";
import { WorkerPool } from "./pool.ts";

/** More processes than any machine has use for are a slip of the pen. */
export const MAX_WORKERS = 256;

/**
 * As for `createServer`, but for what cannot be sent to another process: a worker's script gives that to `runWorker`. `keys` is
 * the primary's own opening of the key database.
 */
export interface WorkersOptions
  extends Omit<ServerOptions, "onMessage" | "roundsBackend" | "crypto" | "random"> {
  /** Processes, 1 … 256. */
  readonly workers: number;
  /** The program of each: it calls `runWorker`. */
  readonly script: string | URL;
  /** For that script, as JSON has it. It goes through a pipe: neither arguments nor environment have it. */
  readonly data?: unknown;
  /** The environment of each; that of this process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Options of Node.js for each; those of this process unless given. */
  readonly execArgv?: readonly string[];
}

/** A server of several processes. */
export interface PawlWorkers {
  /** Those of every worker are told here, with its number. */
  readonly events: EventBus;
  /** Starts the workers, then accepts. @throws WorkerStartError, ListenError */
  listen(address?: { host?: string; port?: number }): Promise<{ host: string; port: number }>;
  /** Live sessions, as each worker says when it is asked. */
  sessions(): Promise<(SessionInfo & { readonly worker: number })[]>;
  /** Connections whose client has not proved itself yet, in all processes. */
  readonly halfOpen: { readonly count: number; readonly bytes: number };
  /** As of a server of one process; ends the workers. */
  close(options?: { graceMs?: number }): Promise<void>;
}

/**
 * A server whose connections are spread over several processes, which share one key database and one round. This process
 * accepts, and keeps what all have in common; its end is theirs.
 * @throws OptionError
 */
export function createWorkers(options: WorkersOptions): PawlWorkers {
  const { workers } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS)
    throw new OptionError("workers", `an integer from 1 to ${MAX_WORKERS}`, workers);
  return new Primary(options, resolveOptions(options));
}

class Primary implements PawlWorkers {
  readonly events: EventBus;
  readonly #commons: OwnCommons;
  readonly #pool: WorkerPool;
  readonly #housekeeping: Housekeeping;
  readonly #door: Door;
  readonly #endWatch: () => void;
  #closing: Promise<void> | null = null;

  constructor(own: WorkersOptions, options: ResolvedOptions) {
    const { workers, script, data = null, env = process.env, execArgv = process.execArgv } = own;
    const { clock } = options;
    const events = new EventBus(clock);
    const commons = new OwnCommons(options, events);
    const rounds = new Rounds<RoundsSeat>({
      ...options.rounds,
      clock,
      onClosed: (round, owed) => {
        const { product, ...told } = round;
        // Told first: a crash in between may leave a client without its answer, never a client that knows more than the log.
        events.emit({ type: "round", ...told, aggregate: product });
        tellSeats(round, owed);
      },
    });
    const pool = new WorkerPool(
      { workers, program: { script, env, execArgv }, settings: settingsOf(options), data, clock },
      { commons, rounds, events },
    );
    this.events = events;
    this.#commons = commons;
    this.#pool = pool;
    this.#housekeeping = new Housekeeping(options, events, () => pool.tell({ type: "suspect-store" }));
    // Here alone: what workers commit is news to every other one's store, and each would look through the whole fleet.
    this.#endWatch = options.keys.watch((change) => commons.stored(change));
    this.#door = new Door({
      events,
      admits: (key) => commons.admits(key),
      onArrival: (socket, arrival) => pool.take(socket, arrival),
      paused: true,
    });
    events.watchInterest(() => pool.tell({ type: "interest", interest: events.interest }));
  }

  get halfOpen(): { readonly count: number; readonly bytes: number } {
    return this.#commons.halfOpen;
  }

  async listen(address?: { host?: string; port?: number }): Promise<{ host: string; port: number }> {
    const crypto = await this.#pool.start();
    try {
      const bound = await this.#door.listen(address);
      this.events.emit({ type: "listening", ...bound, crypto });
      this.#housekeeping.start();
      return bound;
    } catch (error) {
      await this.#pool.kill();
      throw error;
    }
  }

  sessions(): Promise<(SessionInfo & { readonly worker: number })[]> {
    return this.#pool.sessions();
  }

  close({ graceMs = 5_000 } = {}): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  async #drain(graceMs: number): Promise<void> {
    this.events.emit({ type: "closing" });
    this.#endWatch();
    this.#door.close();
    await this.#pool.drain(graceMs);
    await this.#housekeeping.stop();
    this.events.emit({ type: "closed" });
  }
}

function settingsOf(options: ResolvedOptions): WorkerSettings {
  const { suites, maxMessage, maxClients, padding, limits, rotation } = options;
  const { maxSessionAgeMs, maxSessionRounds } = rotation;
  return {
    suites: suites.map(({ id }) => id),
    maxMessage,
    maxClients,
    padding,
    limits,
    rotation: {
      ...(maxSessionAgeMs === null ? {} : { maxSessionAgeMs }),
      ...(maxSessionRounds === null ? {} : { maxSessionRounds }),
    },
  };
}
