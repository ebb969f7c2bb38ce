import { DEFAULT_PORT, Door } from "./door.ts";
import { Endpoint, type SessionInfo } from "./endpoint.ts";
import { EventBus } from "./events.ts";
import { Housekeeping } from "./housekeeping.ts";
import { type ResolvedOptions, resolveOptions, type ServerOptions } from "./options.ts";
import { OwnCommons } from "./own-commons.ts";

export interface PawlServer {
  readonly events: EventBus;
  /** @throws ListenError */
  listen(address?: { host?: string; port?: number }): Promise<{ host: string; port: number }>;
  /** Live sessions. */
  sessions(): SessionInfo[];
  /** Connections whose client has not proved itself yet: how many, and the bytes that they have buffered. */
  readonly halfOpen: { readonly count: number; readonly bytes: number };
  /**
   * Drains: accepts nobody more, answers the open round, ends every session (TERMINATE, shutting down), and destroys what
   * is left after `graceMs` (5,000 unless given). The store stays open. Calling it again gives the same promise.
   */
  close(options?: { graceMs?: number }): Promise<void>;
}

export { DEFAULT_PORT };

/** @throws OptionError */
export function createServer(options: ServerOptions): PawlServer {
  return new Server(resolveOptions(options));
}

/** All in one process. */
class Server implements PawlServer {
  readonly events: EventBus;
  readonly #options: ResolvedOptions;
  readonly #commons: OwnCommons;
  readonly #endpoint: Endpoint;
  readonly #housekeeping: Housekeeping;
  readonly #door: Door;
  readonly #endWatch: () => void;
  #closing: Promise<void> | null = null;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.events = new EventBus(options.clock);
    const commons = new OwnCommons(options, this.events);
    const endpoint = new Endpoint(options, this.events, commons);
    this.#commons = commons;
    this.#endpoint = endpoint;
    this.#housekeeping = new Housekeeping(options, this.events, () => endpoint.health.suspect());
    this.#endWatch = options.keys.watch((change) => commons.stored(change));
    this.#door = new Door({
      events: this.events,
      admits: (key) => commons.admits(key),
      onArrival: (socket, arrival) => commons.arrived(endpoint.open(socket, arrival)),
    });
  }

  get halfOpen(): { readonly count: number; readonly bytes: number } {
    return this.#commons.halfOpen;
  }

  async listen(address?: { host?: string; port?: number }): Promise<{ host: string; port: number }> {
    const bound = await this.#door.listen(address);
    this.events.emit({ type: "listening", ...bound, crypto: this.#options.crypto.name });
    this.#housekeeping.start();
    return bound;
  }

  sessions(): SessionInfo[] {
    return this.#endpoint.sessions();
  }

  close({ graceMs = 5_000 } = {}): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  async #drain(graceMs: number): Promise<void> {
    this.events.emit({ type: "closing" });
    this.#endWatch();
    this.#door.close();
    await this.#endpoint.drain(graceMs);
    await this.#housekeeping.stop();
    this.events.emit({ type: "closed" });
  }
}
