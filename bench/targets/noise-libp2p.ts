import { createServer, type Socket } from "node:net";
import { type NoiseComponents, noise } from "@chainsafe/libp2p-noise";
import { generateKeyPair } from "@libp2p/crypto/keys";
import {
  connectionOf,
  connectTo,
  echo,
  framed,
  listen,
  type MessagePipe,
  type Target,
  unframer,
} from "@pawl/bench/targets";

/**
 * Noise XX with ChaCha20-Poly1305 as libp2p has it, on a plain socket: no multiplexer, no negotiation, no peer store. With the
 * crypto that it picks by itself, which is its fastest: WebAssembly below 1,200 bytes, node:crypto above.
 */
export const noiseLibp2p: Target = {
  applications: ["echo"],
  serve: async () => {
    const encrypter = await encrypterOf();
    return listen(
      createServer({ noDelay: true }, (socket) => {
        encrypter.secureInbound(duplexOf(socket), OPTIONS).then(
          ({ conn }) => echo(pipeOf(socket, conn)),
          () => socket.destroy(),
        );
      }),
    );
  },
  dialer: async (port) => {
    const encrypter = await encrypterOf();
    return async () => {
      const socket = await connectTo(port);
      const { conn } = await encrypter.secureOutbound(duplexOf(socket), OPTIONS);
      return connectionOf(pipeOf(socket, conn));
    };
  },
};

const OPTIONS = { skipStreamMuxerNegotiation: true };

/** Bytes as libp2p passes them on: a chunk, or a list of chunks; `subarray` makes one of either. */
interface Bytes {
  subarray(): Uint8Array;
}

interface Duplex {
  source: AsyncGenerator<Bytes>;
  sink(source: AsyncIterable<Bytes>): Promise<void>;
}

interface Encrypter {
  secureInbound(connection: Duplex, options: typeof OPTIONS): Promise<{ conn: Duplex }>;
  secureOutbound(connection: Duplex, options: typeof OPTIONS): Promise<{ conn: Duplex }>;
}

async function encrypterOf(): Promise<Encrypter> {
  const silent = Object.assign(() => {}, { enabled: false, trace: () => {}, error: () => {} });
  const components = {
    privateKey: await generateKeyPair("Ed25519"),
    logger: { forComponent: () => silent },
    upgrader: { getStreamMuxers: () => new Map() },
  };
  // Of its components these three are all that it reads; of a connection, source and sink.
  return noise()(components as unknown as NoiseComponents) as unknown as Encrypter;
}

function duplexOf(socket: Socket): Duplex {
  socket.on("error", () => socket.destroy());
  return {
    source: chunksOf(socket),
    sink: async (source) => {
      for await (const chunk of source) {
        if (socket.destroyed) return;
        if (!socket.write(chunk.subarray())) await drained(socket);
      }
      socket.end();
    },
  };
}

async function* chunksOf(socket: Socket): AsyncGenerator<Uint8Array> {
  // A connection that is cut has an end like any other: what is missing then shows in the answers.
  try {
    yield* socket as AsyncIterable<Uint8Array>;
  } catch {}
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}

function pipeOf(socket: Socket, { source, sink }: Duplex): MessagePipe {
  const outgoing = new Outgoing();
  sink(outgoing.chunks()).catch(() => socket.destroy());
  return {
    send: (message) => outgoing.push(framed(message)),
    onMessage: (take) => {
      const push = unframer(take);
      const read = async () => {
        for await (const chunk of source) push(bufferOf(chunk.subarray()));
      };
      read().catch(() => socket.destroy());
    },
    onEnd: (ended) => socket.on("close", ended),
    close: () => {
      outgoing.end();
      socket.destroy();
    },
  };
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** What is pushed, as a source that can be waited for. */
class Outgoing {
  readonly #waiting: Buffer[] = [];
  #ended = false;
  #wake: () => void = () => {};

  push(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *chunks(): AsyncGenerator<Buffer> {
    while (true) {
      const chunk = this.#waiting.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
