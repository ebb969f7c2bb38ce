import type { Socket } from "node:net";
import { type Arrival, Door } from "./door.ts";
import type { EventBus } from "./events.ts";
import { Housekeeping } from "./housekeeping.ts";
import type { KeyStore } from "./keys/store.ts";
import type { ResolvedOptions } from "./options.ts";
import type { OwnCommons } from "./own-commons.ts";

/** Who serves the connections of a server: its own process (`server.ts`), or others (`workers/pool.ts`). */
export interface ConnectionsBackend<Sessions> {
  /** Accepted sockets read nothing in this process: another one will. */
  readonly readsElsewhere: boolean;
  /** Resolves with the name of the crypto provider when connections are served. Where it fails nothing is left running. */
  start(): Promise<string>;
  /** Before `start` has resolved, too. */
  take(socket: Socket, arrival: Arrival): void;
  /** The key database failed at what was for no connection. */
  suspectStore(): void;
  sessions(): Sessions;
  /** Answers what is owed, ends every session (TERMINATE, shutting down), and destroys what is left after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/**
 * What a server is to the outside, whoever serves its connections: it listens, accepts, keeps house and drains, in this one
 * order.
 */
export class Front<Sessions> {
  readonly events: EventBus;
  readonly #commons: OwnCommons;
  readonly #backend: ConnectionsBackend<Sessions>;
  readonly #housekeeping: Housekeeping;
  readonly #door: Door;
  readonly #endWatch: () => void;
  #closing: Promise<void> | null = null;

  constructor(
    options: ResolvedOptions<KeyStore>,
    events: EventBus,
    commons: OwnCommons,
    backend: ConnectionsBackend<Sessions>,
  ) {
    this.events = events;
    this.#commons = commons;
    this.#backend = backend;
    this.#housekeeping = new Housekeeping(options, events, () => backend.suspectStore());
    // What workers commit is written here, too.
    this.#endWatch = options.keys.watch((change) => commons.stored(change));
    this.#door = new Door({
      events,
      admits: (key) => commons.admits(key),
      onArrival: (socket, arrival) => backend.take(socket, arrival),
      paused: backend.readsElsewhere,
    });
  }

  get halfOpen(): { readonly count: number; readonly bytes: number } {
    return this.#commons.halfOpen;
  }

  async listen(address?: { host?: string; port?: number }): Promise<{ host: string; port: number }> {
    // First of all: a port that cannot be had is said before anything is started for it.
    const bound = await this.#door.listen(address);
    try {
      const crypto = await this.#backend.start();
      this.events.emit({ type: "listening", ...bound, crypto });
    } catch (error) {
      this.#door.close();
      throw error;
    }
    this.#housekeeping.start();
    return bound;
  }

  sessions(): Sessions {
    return this.#backend.sessions();
  }

  close({ graceMs = 5_000 } = {}): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  async #drain(graceMs: number): Promise<void> {
    this.events.emit({ type: "closing" });
    this.#endWatch();
    this.#door.close();
    try {
      await this.#backend.drain(graceMs);
    } finally {
      await this.#housekeeping.stop();
      this.events.emit({ type: "closed" });
    }
  }
}
