import { connect as connectSocket, type Socket } from "node:net";
import {
  type CryptoProvider,
  defaultCrypto,
  EpochExhaustedError,
  type PaddingPolicy,
  wipe,
} from "@pawl/protocol";
import { type Clock, type Random, systemClock, systemRandom } from "@pawl/protocol/driver";
import { Connection, type PawlConnection } from "./connection.ts";
import type { Credential } from "./credential.ts";
import { credentialFile } from "./credential-file.ts";
import type { CredentialStore } from "./credential-store.ts";
import { ConnectError, ConnectOptionError } from "./errors.ts";

export const DEFAULT_PORT = 7433;

export interface ConnectOptions {
  /** The path of a credential file, or a store of another kind. */
  readonly credential: string | CredentialStore;
  /** Without it the credential's own `server`. */
  readonly host?: string;
  readonly port?: number;
  /** For DATA. */
  readonly padding?: PaddingPolicy;
  /** Makes round 1 a cover, which closes the window that section 4.6 names. Not in classic. */
  readonly coverFirst?: boolean;
  /** Milliseconds: 10,000 for connection and handshake each, 60,000 for an answer. */
  readonly connectTimeoutMs?: number;
  readonly handshakeTimeoutMs?: number;
  readonly replyTimeoutMs?: number;
  /** Gives up, or ends the session with TERMINATE. */
  readonly signal?: AbortSignal;
  /** Takes a credential file that others may read. */
  readonly allowReadable?: boolean;
  /** Classic only: the server's limit, which it cannot say. Bytes. */
  readonly maxMessage?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly crypto?: CryptoProvider;
}

/**
 * Opens a session. Nothing is retried: whether to connect again is the caller's decision (`connectWithBackoff` helps).
 * @throws CredentialError (its classes say what is wrong with the credential), EpochExhaustedError, ConnectOptionError;
 * ConnectError where the server cannot be reached; HandshakeRefusedError, HandshakeTimeoutError; a ProtocolError where
 * the answer breaks the protocol, which is final for this connection
 */
export async function connect(options: ConnectOptions): Promise<PawlConnection> {
  const { clock = systemClock, random = systemRandom, crypto = defaultCrypto(), signal } = options;
  const { credential: source, allowReadable = false } = options;
  const store = typeof source === "string" ? credentialFile(source, { allowReadable }) : source;
  const credential = await store.load();
  let socket: Socket | null = null;
  try {
    if (credential.suite.strict && credential.epoch === 0xffff_ffff) {
      throw new EpochExhaustedError("this credential is at its last epoch; ask the operator to reissue it");
    }
    const { host, port } = addressOf(options, credential);
    socket = await openSocket(host, port, options.connectTimeoutMs ?? 10_000, clock, signal);
    const connection = new Connection({
      socket,
      store,
      credential,
      padding: options.padding,
      maxMessage: options.maxMessage,
      coverFirst: options.coverFirst === true && credential.suite.strict,
      handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
      replyTimeoutMs: options.replyTimeoutMs ?? 60_000,
      clock,
      random,
      crypto,
    });
    const interrupted = () => connection.abort(new ConnectError(`${host}:${port}`, "ABORTED"));
    signal?.addEventListener("abort", interrupted, { once: true });
    await connection.handshake();
    signal?.removeEventListener("abort", interrupted);
    const close = () => void connection.close();
    signal?.addEventListener("abort", close, { once: true });
    void connection.closed.then(() => signal?.removeEventListener("abort", close));
    return connection;
  } catch (error) {
    socket?.destroy();
    wipe(credential.secret);
    await store.close();
    throw error;
  }
}

/** Reads `host:port`, `[::1]:port`, `host`. @throws ConnectOptionError */
export function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new ConnectOptionError(`an address is host:port or [::1]:port, not ${JSON.stringify(text)}`);
  }
  return { host, port };
}

function addressOf(options: ConnectOptions, credential: Credential): { host: string; port: number } {
  const own = credential.server === undefined ? null : parseAddress(credential.server);
  const host = options.host ?? own?.host;
  if (host === undefined) {
    throw new ConnectOptionError("the credential names no server; say which: host and port");
  }
  const port = options.port ?? (options.host === undefined ? own?.port : undefined) ?? DEFAULT_PORT;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new ConnectOptionError(`a port is an integer from 1 to 65535, not ${port}`);
  }
  return { host, port };
}

function openSocket(
  host: string,
  port: number,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new ConnectError(address, "ABORTED"));
      return;
    }
    const socket = connectSocket({ host, port, allowHalfOpen: true, noDelay: true });
    const fail = (reason: string, cause?: Error) => {
      done();
      socket.destroy();
      reject(new ConnectError(address, reason, cause === undefined ? {} : { cause }));
    };
    const failed = (error: NodeJS.ErrnoException) => fail(error.code ?? error.message, error);
    const aborted = () => fail("ABORTED");
    const cancel = clock.after(timeoutMs, () => fail("TIMEOUT"));
    const done = () => {
      cancel();
      socket.off("error", failed);
      socket.on("error", () => {});
      signal?.removeEventListener("abort", aborted);
    };
    socket.once("error", failed);
    signal?.addEventListener("abort", aborted, { once: true });
    socket.once("connect", () => {
      done();
      resolve(socket);
    });
  });
}
