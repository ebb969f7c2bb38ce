import { once } from "node:events";
import { connect as connectSocket, createServer, type Server, type Socket } from "node:net";
import { type Clock, systemClock } from "@pawl/protocol/driver";
import { ListenError } from "@pawl/server";
import { ProxiedConnection } from "./connection.ts";
import type { Program } from "./program.ts";
import { Recording } from "./recording.ts";
import { reset } from "./reset.ts";

export interface ProxyOptions {
  /** Null: the attacker plays the server himself; his program answers. */
  readonly upstream: { readonly host: string; readonly port: number } | null;
  /** Loopback unless given. */
  readonly host?: string;
  readonly port?: number;
  /** Decides on each whole frame of a connection before it goes on. Without it all bytes pass as they came, unread. */
  readonly program?: (connection: ProxiedConnection) => Program;
  /** Where all that passes is written down; one of the proxy's own unless given. */
  readonly recording?: Recording;
  readonly onConnection?: (connection: ProxiedConnection) => void;
  readonly clock?: Clock;
}

export interface FrameProxy {
  readonly host: string;
  readonly port: number;
  readonly recording: Recording;
  /** Ends every connection through it, and stops listening. */
  close(): Promise<void>;
}

/**
 * A man in the middle on TCP: parses frames, decodes headers, never decrypts. A stream that is not made of frames passes
 * byte for byte. Half-closes and resets are passed on.
 * @throws ListenError
 */
export async function createProxy(options: ProxyOptions): Promise<FrameProxy> {
  const { host = "127.0.0.1", port = 0, upstream, clock = systemClock } = options;
  const recording = options.recording ?? new Recording();
  const open = new Set<Socket>();
  const connections = new Set<ProxiedConnection>();
  // Nothing is read from a client until its server is there: the recording tells things in their order.
  const server = createServer(
    { allowHalfOpen: true, noDelay: true, pauseOnConnect: true },
    async (client) => {
      const onward =
        upstream === null ? null : connectSocket({ ...upstream, allowHalfOpen: true, noDelay: true });
      for (const socket of onward === null ? [client] : [client, onward]) {
        open.add(socket);
        socket.once("close", () => open.delete(socket));
        // Whose error it is matters once there are two of them; until then it must only not end the process.
        socket.on("error", () => {});
      }
      const failure = onward === null ? null : await unreachable(onward);
      if (failure !== null) {
        refuse(client, recording, failure);
        return;
      }
      const connection = new ProxiedConnection({
        client,
        upstream: onward,
        recording,
        clock,
        program: options.program ?? null,
      });
      connections.add(connection);
      void connection.closed.then(() => connections.delete(connection));
      options.onConnection?.(connection);
    },
  );
  await listen(server, host, port);
  server.on("error", (error) => recording.note(`a connection could not be accepted: ${error.message}`));
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return {
    host,
    port: bound,
    recording,
    close: async () => {
      const stopped = once(server, "close");
      server.close();
      for (const connection of connections) connection.cut("rst");
      for (const socket of open) socket.destroy();
      await stopped;
    },
  };
}

/** Waits until a socket is connected: null, or else the error. */
function unreachable(socket: Socket): Promise<Error | null> {
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(null));
    socket.once("error", resolve);
    socket.once("close", () => resolve(new Error("closed before the server was reached")));
  });
}

/** What a client would get that the network could not bring to its server. */
function refuse(client: Socket, recording: Recording, failure: Error): void {
  const connection = recording.connection();
  recording.add({ kind: "open", connection, client: "victim", server: "victim", port: null });
  recording.note(`the server cannot be reached: ${failure.message}`, connection);
  if (client.destroyed) return;
  recording.add({ kind: "end", connection, side: "client", how: "rst", by: "attacker" });
  reset(client);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port });
  try {
    await once(server, "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ListenError(host, port, code ?? message);
  }
}
