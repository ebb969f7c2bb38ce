import { OptionError } from "../errors.ts";
import { EventBus } from "../events.ts";
import { Front } from "../front.ts";
import { type ResolvedOptions, resolveOptions, type ServerOptions } from "../options.ts";
import { OwnCommons } from "../own-commons.ts";
import { Rounds, type RoundsSeat, tellSeats } from "../rounds/index.ts";
import type { WorkerSettings } from "./messages.ts";
import { WorkerPool, type WorkerSession } from "./pool.ts";

/** More processes than any machine has use for are a slip of the pen. */
export const MAX_WORKERS = 256;

/**
 * As for `createServer`, but for what cannot be sent to another process: a worker's script gives that to `runWorker`. `keys` is
 * the key database: workers read it by an opening of their own, and have the primary write.
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
  /** Takes the port, then starts the workers; who connects meanwhile waits for them. @throws ListenError, WorkerStartError */
  listen(address?: { host?: string; port?: number }): Promise<{ host: string; port: number }>;
  /** Live sessions, as each worker says when it is asked. */
  sessions(): Promise<WorkerSession[]>;
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
  const { script, data = null, env = process.env, execArgv = process.execArgv } = options;
  const resolved = resolveOptions(options);
  const { clock } = resolved;
  const events = new EventBus(clock);
  const commons = new OwnCommons(resolved, events);
  const rounds = new Rounds<RoundsSeat>({
    ...resolved.rounds,
    clock,
    onClosed: (round, owed) => {
      const { product, ...told } = round;
      // Told first: a crash in between may leave a client without its answer, never a client that knows more than the log.
      events.emit({ type: "round", ...told, aggregate: product });
      tellSeats(round, owed);
    },
  });
  const pool = new WorkerPool(
    { workers, program: { script, env, execArgv }, settings: settingsOf(resolved), data, clock },
    { keys: resolved.keys, commons, rounds, events },
  );
  events.watchInterest(() => pool.tell({ type: "interest", interest: events.interest }));
  return new Front(resolved, events, commons, pool);
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
