import { createServer, type Server as NetServer, type Socket } from "node:net";
import { limitKey } from "./address.ts";
import { ListenError } from "./errors.ts";
import type { EventBus } from "./events.ts";

export const DEFAULT_PORT = 7433;

/** A connection that was accepted. */
export interface Arrival {
  /** Counts the connections of the server. */
  readonly id: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Whom a limit for each address counts. */
  readonly limitKey: string;
}

interface DoorOptions {
  readonly events: EventBus;
  /** Whether an address may make one more handshake. */
  readonly admits: (limitKey: string) => boolean;
  readonly onArrival: (socket: Socket, arrival: Arrival) => void;
  /** Accepted sockets read nothing by themselves: another process will. */
  readonly paused?: boolean;
}

/** Accepts the connections of a server, and throttles each address. */
export class Door {
  readonly #options: DoorOptions;
  readonly #net: NetServer;
  #count = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
    const { paused = false } = options;
    this.#net = createServer({ allowHalfOpen: true, pauseOnConnect: paused }, (socket) =>
      this.#accept(socket),
    );
  }

  /** @throws ListenError */
  listen({ host = "127.0.0.1", port = DEFAULT_PORT } = {}): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException) => {
        reject(new ListenError(host, port, error.code ?? error.message));
      };
      this.#net.once("error", failed);
      this.#net.listen({ host, port }, () => {
        this.#net.off("error", failed);
        const address = this.#net.address();
        resolve({ host, port: typeof address === "object" && address !== null ? address.port : port });
      });
    });
  }

  /** Accepts nobody more; those who are in stay. */
  close(): void {
    this.#net.close();
  }

  #accept(socket: Socket): void {
    const { events, admits, onArrival } = this.#options;
    const { remoteAddress, remotePort } = socket;
    // Gone again before we looked.
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const key = limitKey(remoteAddress);
    if (!admits(key)) {
      events.emit({ type: "handshake-throttled", remoteAddress });
      socket.on("error", () => {});
      socket.destroy();
      return;
    }
    onArrival(socket, { id: ++this.#count, remoteAddress, remotePort, limitKey: key });
  }
}
