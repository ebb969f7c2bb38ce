import { DEFAULT_PORT } from "./door.ts";
import { Endpoint, type SessionInfo } from "./endpoint.ts";
import { EventBus } from "./events.ts";
import { Front } from "./front.ts";
import { resolveOptions, type ServerOptions } from "./options.ts";
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
   * @throws what the backend of rounds does, when all of that is done
   */
  close(options?: { graceMs?: number }): Promise<void>;
}

export { DEFAULT_PORT };

/** A server of one process. @throws OptionError */
export function createServer(options: ServerOptions): PawlServer {
  const resolved = resolveOptions(options);
  const events = new EventBus(resolved.clock);
  const commons = new OwnCommons(resolved, events);
  const endpoint = new Endpoint(resolved, events, commons);
  return new Front(resolved, events, commons, {
    readsElsewhere: false,
    start: async () => resolved.crypto.name,
    take: (socket, arrival) => commons.arrived(endpoint.open(socket, arrival)),
    suspectStore: () => endpoint.health.suspect(),
    sessions: () => endpoint.sessions(),
    drain: (graceMs) => endpoint.drain(graceMs),
  });
}
