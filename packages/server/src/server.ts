import { createServer as createNetServer, type Server as NetServer, type Socket } from "node:net";
import type { ClientId, Epoch, SuiteName } from "@pawl/protocol";
import { limitKey } from "./address.ts";
import { AlarmRecorder } from "./alarms.ts";
import { type Application, HandlerApplication, RoundsApplication } from "./application.ts";
import { HandshakeBuckets } from "./bucket.ts";
import { ChallengeBudget } from "./challenge-budget.ts";
import { revokeClones } from "./clones.ts";
import { Connection } from "./connection.ts";
import { Derivations } from "./derive.ts";
import { ListenError } from "./errors.ts";
import { EventBus } from "./events.ts";
import { HalfOpenTable } from "./half-open.ts";
import type { ConnectionHost } from "./host.ts";
import type { StoreChange } from "./keys/store.ts";
import { type ResolvedOptions, resolveOptions, type ServerOptions } from "./options.ts";
import { OverdueWatch } from "./overdue.ts";
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

export const DEFAULT_PORT = 7433;

/** @throws OptionError */
export function createServer(options: ServerOptions): PawlServer {
  return new Server(resolveOptions(options));
}

class Server implements PawlServer, ConnectionHost {
  readonly options: ResolvedOptions;
  readonly events: EventBus;
  readonly application: Application;
  readonly buckets: HandshakeBuckets;
  readonly budget = new ChallengeBudget();
  readonly derivations: Derivations;
  readonly health: StoreHealth;
  readonly halfOpen: HalfOpenTable<Connection>;
  readonly #net: NetServer;
  readonly #connections = new Set<Connection>();
  readonly #sockets = new Set<Socket>();
  /** Connections that have a client: live and half-open. */
  readonly #byClient = new Map<ClientId, Set<Connection>>();
  readonly #live = new Map<ClientId, Connection>();
  readonly #alarms: AlarmRecorder;
  /** Null: the operator did not ask. */
  readonly #overdue: OverdueWatch | null;
  readonly #endWatch: () => void;
  #count = 0;
  #closing: Promise<void> | null = null;

  constructor(options: ResolvedOptions) {
    this.options = options;
    const { clock, limits, crypto, maxMessage, rounds, onMessage, overdueAfterMs } = options;
    this.events = new EventBus(clock);
    this.buckets = new HandshakeBuckets(clock, limits.handshakesPerSecond, limits.handshakeBurst);
    this.health = new StoreHealth(() => options.keys.probe(), clock, this.events);
    this.#alarms = new AlarmRecorder(options.keys, clock, this.events, () => this.health.suspect());
    if (options.onClone === "revoke") revokeClones(this.events, options.keys);
    this.#overdue =
      overdueAfterMs === null ? null : new OverdueWatch(options.keys, clock, this.events, overdueAfterMs);
    this.derivations = new Derivations(crypto);
    this.halfOpen = new HalfOpenTable(limits, (connection, limit) => {
      const { id, remoteAddress } = connection;
      this.events.emit({ type: "half-open-evicted", connection: id, remoteAddress, limit });
      connection.abort();
    });
    this.application =
      onMessage !== null
        ? new HandlerApplication(onMessage)
        : new RoundsApplication({
            ...rounds,
            maxMessage,
            clock,
            onRound: ({ product, ...round }) =>
              this.events.emit({ type: "round", ...round, aggregate: product }),
          });
    this.#endWatch = options.keys.watch((change) => this.#stored(change));
    this.#net = createNetServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  listen({ host = "127.0.0.1", port = DEFAULT_PORT } = {}): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException) => {
        reject(new ListenError(host, port, error.code ?? error.message));
      };
      this.#net.once("error", failed);
      this.#net.listen({ host, port }, () => {
        this.#net.off("error", failed);
        const address = this.#net.address();
        const bound = typeof address === "object" && address !== null ? address.port : port;
        this.events.emit({ type: "listening", host, port: bound, crypto: this.options.crypto.name });
        this.#overdue?.start();
        resolve({ host, port: bound });
      });
    });
  }

  sessions(): SessionInfo[] {
    return [...this.#live.values()].flatMap((connection) => {
      const { clientId, epoch, suite } = connection.session;
      if (clientId === null || epoch === null || suite === null) return [];
      const { id, remoteAddress, since, round } = connection;
      return [{ id, clientId, epoch, suite: suite.name, remoteAddress, since, rounds: round }];
    });
  }

  close({ graceMs = 5_000 } = {}): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  isLive(clientId: ClientId): boolean {
    return this.#live.has(clientId);
  }

  hasRoomFor(clientId: ClientId): boolean {
    return this.#live.has(clientId) || this.#live.size < this.options.maxClients;
  }

  greeted(connection: Connection): void {
    const { clientId } = connection;
    if (clientId === null) return;
    const connections = this.#byClient.get(clientId) ?? new Set();
    this.#byClient.set(clientId, connections);
    connections.add(connection);
  }

  /** Section 4.5.3: every other live session of this client ends, half-open ones forget their epoch. */
  becameLive(connection: Connection): void {
    const { clientId } = connection;
    if (clientId === null) return;
    this.budget.forget(clientId);
    this.#live.set(clientId, connection);
    const epoch = connection.session.epoch ?? 0;
    for (const other of this.#byClient.get(clientId) ?? []) {
      if (other === connection) continue;
      if (!other.live) other.epochMoved();
      else if ((other.session.epoch ?? 0) < epoch) other.terminate("superseded");
    }
  }

  ended(connection: Connection): void {
    this.#connections.delete(connection);
    const { clientId } = connection;
    if (clientId === null) return;
    if (this.#live.get(clientId) === connection) this.#live.delete(clientId);
    const connections = this.#byClient.get(clientId);
    connections?.delete(connection);
    if (connections?.size === 0) this.#byClient.delete(clientId);
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    // Gone again before we looked.
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const key = limitKey(remoteAddress);
    if (!this.buckets.take(key)) {
      this.events.emit({ type: "handshake-throttled", remoteAddress });
      socket.on("error", () => {});
      socket.destroy();
      return;
    }
    const connection = new Connection(this, socket, ++this.#count, remoteAddress, key);
    this.#connections.add(connection);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.events.emit({ type: "connection", connection: connection.id, remoteAddress, remotePort });
    this.halfOpen.add(connection, key);
  }

  /** Section 4.5.4: what others did to a client's record. */
  #stored({ clientId, now }: StoreChange): void {
    for (const connection of this.#byClient.get(clientId) ?? []) {
      if (now === null || now.revoked) connection.terminate("revoked");
      else if (now.generation !== connection.generation) connection.terminate("superseded");
      else if (!connection.live && now.epoch > (connection.session.epoch ?? 0)) connection.epochMoved();
    }
  }

  async #drain(graceMs: number): Promise<void> {
    this.events.emit({ type: "closing" });
    this.#endWatch();
    const stopped = new Promise<void>((resolve) => this.#net.close(() => resolve()));
    this.application.close();
    for (const connection of [...this.#connections]) connection.terminate("shutdown");
    const cancel = this.options.clock.after(graceMs, () => {
      for (const connection of [...this.#connections]) connection.abort();
      for (const socket of this.#sockets) socket.destroy();
    });
    await stopped;
    cancel();
    this.health.stop();
    await this.#overdue?.stop();
    await this.#alarms.close();
    this.events.emit({ type: "closed" });
  }
}
