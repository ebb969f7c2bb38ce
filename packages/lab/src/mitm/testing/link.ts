import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Actions } from "../actions.ts";
import type { ProxiedConnection } from "../connection.ts";
import type { ObservedFrame } from "../observed.ts";
import { each, type Program } from "../program.ts";
import { createProxy, type FrameProxy, type ProxyOptions } from "../proxy.ts";

/** One end of a connection, and what it was seen to get. */
export class End {
  readonly socket: Socket;
  /** How the other side ended its stream; null: not yet. */
  ended: "fin" | "rst" | null = null;
  readonly #chunks: Buffer[] = [];
  readonly #closed: Promise<void>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on("end", () => {
      this.ended ??= "fin";
    });
    socket.on("error", () => {
      this.ended = "rst";
    });
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  get received(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks));
  }

  /** Waits for so many bytes in all. */
  async bytes(count: number): Promise<Uint8Array> {
    while (this.received.length < count) {
      if (this.socket.destroyed) throw new Error(`closed after ${this.received.length} of ${count} bytes`);
      await Promise.race([once(this.socket, "data"), this.#closed]);
    }
    return this.received;
  }

  /** Waits for the end of the other side's stream; all that came before. */
  async end(): Promise<Uint8Array> {
    if (this.ended === null) await Promise.race([once(this.socket, "end").catch(() => {}), this.#closed]);
    return this.received;
  }

  /**
   * Whether the connection is reset, by now: only who writes can be sure. libuv takes a reset that comes together with bytes
   * for the end of the stream.
   */
  isReset(): Promise<boolean> {
    if (this.ended === "rst") return Promise.resolve(true);
    return new Promise((resolve) => this.socket.write("?", (error) => resolve(error instanceof Error)));
  }

  /** Waits until it is closed, by whomever. */
  closed(): Promise<void> {
    return this.#closed;
  }
}

/** A client and a server, both plain sockets, with a man in the middle; all gone after `close`. */
export interface Link {
  readonly proxy: FrameProxy;
  readonly client: End;
  readonly server: End;
  readonly connection: ProxiedConnection;
  close(): Promise<void>;
}

export type Rule = (frame: ObservedFrame, connection: ProxiedConnection) => Actions;

/** A program that decides on each frame by itself. */
export const ruled =
  (rule: Rule) =>
  (connection: ProxiedConnection): Program =>
    each((frame) => rule(frame, connection));

export async function openLink(options: Partial<ProxyOptions> = {}): Promise<Link> {
  const listener = createServer({ allowHalfOpen: true });
  listener.on("connection", (socket) => socket.on("error", () => {}));
  const port = await listen(listener);
  const accepted = once(listener, "connection") as Promise<[Socket]>;
  let connected: (connection: ProxiedConnection) => void = () => {};
  const through = new Promise<ProxiedConnection>((resolve) => {
    connected = resolve;
  });
  const proxy = await createProxy({
    upstream: { host: "127.0.0.1", port },
    ...options,
    onConnection: (connection) => connected(connection),
  });
  const client = new End(connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true, noDelay: true }));
  const [socket] = await accepted;
  const server = new End(socket);
  const connection = await through;
  return {
    proxy,
    client,
    server,
    connection,
    close: async () => {
      for (const end of [client, server]) end.socket.destroy();
      await proxy.close();
      listener.close();
    },
  };
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
