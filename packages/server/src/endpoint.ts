import type { Socket } from "node:net";
import type { ClientId, Epoch, SuiteName } from "@pawl/protocol";
import { type Application, HandlerApplication, RoundsApplication } from "./application.ts";
import type { Commons } from "./commons.ts";
import { Connection } from "./connection.ts";
import { Derivations } from "./derive.ts";
import type { Arrival } from "./door.ts";
import type { EventBus } from "./events.ts";
import type { ConnectionHost } from "./host.ts";
import type { ResolvedOptions } from "./options.ts";
import { StoreHealth } from "./store-health.ts";

/** A live session, for those who look. */
export interface SessionInfo {
  /** Counts the connections of this server. */
  readonly id: number;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
  readonly suite: SuiteName;
  readonly remoteAddress: string;
  /** Of the connection, milliseconds since 1970. */
  readonly since: number;
  /** Messages so far. */
  readonly rounds: number;
}

/** The connections of one process: all of a server's, or those of one worker. */
export class Endpoint implements ConnectionHost {
  readonly options: ResolvedOptions;
  readonly events: EventBus;
  readonly commons: Commons;
  readonly application: Application;
  readonly derivations: Derivations;
  readonly health: StoreHealth;
  readonly #connections = new Map<number, Connection>();
  readonly #sockets = new Set<Socket>();
  #onSocketClosed: () => void = () => {};

  constructor(options: ResolvedOptions, events: EventBus, commons: Commons) {
    const { clock, crypto, keys, maxMessage, onMessage } = options;
    this.options = options;
    this.events = events;
    this.commons = commons;
    this.health = new StoreHealth(() => keys.probe(), clock, events);
    this.derivations = new Derivations(crypto);
    this.application =
      onMessage !== null
        ? new HandlerApplication(onMessage)
        : new RoundsApplication(
            options.roundsBackend({
              maxMessage,
              clock,
              onRound: ({ product, ...round }) =>
                events.emit({ type: "round", ...round, aggregate: product }),
            }),
          );
  }

  /** Takes over a socket that was accepted. */
  open(socket: Socket, { id, remoteAddress, remotePort, limitKey }: Arrival): Connection {
    const connection = new Connection(this, socket, id, remoteAddress, limitKey);
    this.#connections.set(id, connection);
    this.#sockets.add(socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#onSocketClosed();
    });
    this.events.emit({ type: "connection", connection: id, remoteAddress, remotePort });
    return connection;
  }

  /** The connection `id`, unless it has ended. */
  find(id: number): Connection | undefined {
    return this.#connections.get(id);
  }

  sessions(): SessionInfo[] {
    return [...this.#connections.values()].flatMap((connection) => {
      const { clientId, epoch, suite } = connection.session;
      if (!connection.live || clientId === null || epoch === null || suite === null) return [];
      const { id, remoteAddress, since, round } = connection;
      return [{ id, clientId, epoch, suite: suite.name, remoteAddress, since, rounds: round }];
    });
  }

  ended(connection: Connection): void {
    this.#connections.delete(connection.id);
    this.commons.ended(connection);
  }

  /** Drops every connection at once, in silence. */
  abort(): void {
    for (const connection of [...this.#connections.values()]) connection.abort();
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Answers what is owed, ends every session (TERMINATE, shutting down), and destroys what is left after `graceMs`. What the
   * application throws comes when all of that is done.
   */
  async drain(graceMs: number): Promise<void> {
    let cancel: () => void = () => {};
    const overdue = new Promise<void>((resolve) => {
      cancel = this.options.clock.after(graceMs, resolve);
    });
    const [answered] = await Promise.allSettled([Promise.race([this.application.close(), overdue])]);
    for (const connection of [...this.#connections.values()]) connection.terminate("shutdown");
    void overdue.then(() => this.abort());
    await new Promise<void>((resolve) => {
      this.#onSocketClosed = () => {
        if (this.#sockets.size === 0) resolve();
      };
      this.#onSocketClosed();
    });
    cancel();
    this.health.stop();
    if (answered.status === "rejected") throw answered.reason;
  }
}
