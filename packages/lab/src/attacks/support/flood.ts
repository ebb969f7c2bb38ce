import { connect, type Socket } from "node:net";

/** How often the flood looks after its connections, milliseconds. */
const TICK_MS = 10;
/** Connections that it opens at once. */
const AT_ONCE = 20;

export interface FloodOptions {
  readonly at: { readonly host: string; readonly port: number };
  /** Where it comes from. */
  readonly localAddress: string;
  /** Connections that it keeps; those that the server closes it opens again. */
  readonly width: number;
  /** What a connection says at its nth tick, from 0; null: nothing. */
  readonly says: (tick: number) => Uint8Array | null;
}

/** Connections from one address, as many and as fast as they go, none of which ever proves itself. */
export class Flood {
  readonly #options: FloodOptions;
  readonly #open = new Map<Socket, number>();
  #timer: NodeJS.Timeout | null = null;
  opened = 0;
  /** Closed by the server. */
  closed = 0;
  /** Connections on which the server said something. */
  answered = 0;

  constructor(options: FloodOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  /** Ends all of it, and resolves when every connection is gone. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const closed = [...this.#open.keys()].map(
      (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
    );
    for (const socket of this.#open.keys()) socket.destroy();
    this.#open.clear();
    await Promise.all(closed);
  }

  #tick(): void {
    const { width, says } = this.#options;
    for (const [socket, tick] of this.#open) {
      const bytes = says(tick);
      if (bytes !== null && socket.writable) socket.write(bytes);
      this.#open.set(socket, tick + 1);
    }
    for (let n = 0; n < AT_ONCE && this.#open.size < width; n++) this.#connect();
  }

  #connect(): void {
    const { at, localAddress } = this.#options;
    const socket = connect({ ...at, localAddress, noDelay: true });
    this.#open.set(socket, 0);
    this.opened++;
    socket.on("error", () => {});
    socket.once("data", () => this.answered++);
    socket.resume();
    socket.once("close", () => {
      if (this.#open.delete(socket)) this.closed++;
    });
  }
}

/** Whether this machine lets a client come from another address of loopback. */
export async function mayComeFrom(
  localAddress: string,
  at: { readonly host: string; readonly port: number },
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...at, localAddress });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
