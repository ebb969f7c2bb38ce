import { once } from "node:events";
import { connect as connectSocket, createServer, type Server, type Socket } from "node:net";
import {
  concat,
  copyOf,
  type Direction,
  decodeHeader,
  FrameReader,
  type Header,
  LENGTH_BYTES,
  SUITES,
  u32,
} from "@pawl/protocol";

/** A frame on its way, as the man in the middle sees it: the header in the clear, the rest sealed. */
export interface ObservedFrame {
  /** Counts the connections through this proxy, from 1. */
  readonly connection: number;
  /** Counts the frames of this connection in both directions, from 1. */
  readonly index: number;
  readonly direction: Direction;
  /** Length and packet. */
  readonly bytes: Uint8Array;
  /** Null where the packet has no legal header. */
  readonly header: Header | null;
}

/** What becomes of a frame: it passes, it is dropped, or other bytes go in its place. */
export type Verdict = "pass" | "drop" | { readonly replaceWith: readonly Uint8Array[] };

/** One connection through the proxy, to act on it apart from its frames. */
export interface ProxiedConnection {
  readonly id: number;
  /** Writes bytes into a direction, as if its sender had. */
  inject(direction: Direction, bytes: Uint8Array): void;
  /** Closes both sides at once (RST where input is unread). */
  cut(): void;
  /** Resolves when both sides are closed. */
  readonly closed: Promise<void>;
}

export interface ProxyOptions {
  readonly upstream: { readonly host: string; readonly port: number };
  /** Loopback unless given. */
  readonly host?: string;
  readonly port?: number;
  /** Sees each whole frame before it goes on. Without it all bytes pass as they came. */
  readonly onFrame?: (frame: ObservedFrame, connection: ProxiedConnection) => Verdict;
  readonly onConnection?: (connection: ProxiedConnection) => void;
}

export interface FrameProxy {
  readonly host: string;
  readonly port: number;
  /** Ends every connection through it, and stops listening. */
  close(): Promise<void>;
}

/** Longer than any frame of a peer within its limits; what claims more passes through unread. */
const MAX_FRAME = 64 << 20;

/**
 * A man in the middle on TCP: parses frames, decodes headers, never decrypts. A stream that is not made of frames passes
 * byte for byte. Half-closes and resets are passed on.
 */
export async function createProxy(options: ProxyOptions): Promise<FrameProxy> {
  const { host = "127.0.0.1", port = 0 } = options;
  const open = new Set<Socket>();
  let count = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connectSocket({ ...options.upstream, allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.once("close", () => open.delete(socket));
    }
    join(++count, client, upstream, options);
  });
  await listen(server, host, port);
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return {
    host,
    port: bound,
    close: async () => {
      const stopped = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await stopped;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port });
  await once(server, "listening");
}

function join(id: number, client: Socket, upstream: Socket, options: ProxyOptions): void {
  const closed = Promise.all([closeOf(client), closeOf(upstream)]).then(() => {});
  const connection: ProxiedConnection = {
    id,
    inject: (direction, bytes) => {
      const to = direction === "c2s" ? upstream : client;
      if (to.writable) to.write(bytes);
    },
    cut: () => {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    },
    closed,
  };
  // Frames of both directions are counted together, in the order in which they were seen whole.
  let frames = 0;
  const observe = (direction: Direction, packet: Uint8Array): Verdict => {
    const bytes = concat(u32(packet.length), packet);
    const index = ++frames;
    return (
      options.onFrame?.({ connection: id, index, direction, bytes, header: headerOf(packet) }, connection) ??
      "pass"
    );
  };
  const watched = options.onFrame !== undefined;
  pump(client, upstream, watched ? (packet) => observe("c2s", packet) : null);
  pump(upstream, client, watched ? (packet) => observe("s2c", packet) : null);
  options.onConnection?.(connection);
}

/** Whatever closed it: `once` would reject at an error that comes before. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

/** Carries one direction. */
function pump(from: Socket, to: Socket, observe: ((packet: Uint8Array) => Verdict) | null): void {
  const reader = new FrameReader();
  /** Bytes that are held as the start of a frame, in case they turn out to be none. */
  let transparent = observe === null;
  const write = (bytes: Uint8Array) => {
    if (!to.writable || to.write(bytes)) return;
    from.pause();
    to.once("drain", () => from.resume());
  };
  from.on("data", (chunk: Buffer) => {
    if (transparent || observe === null) {
      write(chunk);
      return;
    }
    reader.push(chunk);
    try {
      for (let packet = reader.next(MAX_FRAME); packet !== null; packet = reader.next(MAX_FRAME)) {
        const verdict = observe(packet);
        if (verdict === "pass") write(concat(u32(packet.length), packet));
        else if (verdict !== "drop") for (const bytes of verdict.replaceWith) write(bytes);
      }
    } catch {
      transparent = true;
      write(reader.rest());
    }
  });
  from.on("end", () => {
    // A frame that was cut short goes on as far as it came.
    if (reader.buffered > 0) write(reader.rest());
    to.end();
  });
  from.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNRESET") to.resetAndDestroy();
    else to.destroy();
  });
  from.on("close", () => {
    if (!to.writableEnded) to.destroy();
  });
}

function headerOf(packet: Uint8Array): Header | null {
  try {
    return decodeHeader(packet, SUITES);
  } catch {
    return null;
  }
}

/** A copy with one bit turned, for attacks. @param offset into the packet, behind the frame's length */
export function flipBit(frame: Uint8Array, offset: number, bit: number): Uint8Array {
  const out = copyOf(frame);
  const at = LENGTH_BYTES + offset;
  out[at] = (out[at] ?? 0) ^ (1 << bit);
  return out;
}
