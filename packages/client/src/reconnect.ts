import { BACKOFF_FIRST_MS, BACKOFF_LAST_MS } from "@pawl/protocol";
import { type Clock, systemClock } from "@pawl/protocol/driver";
import type { Aggregate } from "./aggregate.ts";
import { parseAggregate } from "./aggregate.ts";
import { type ConnectOptions, connect } from "./connect.ts";
import type { PawlConnection } from "./connection.ts";
import {
  ConnectError,
  HandshakeRefusedError,
  HandshakeTimeoutError,
  ReplyTimeoutError,
  SessionEndedError,
} from "./errors.ts";

export interface BackoffOptions extends ConnectOptions {
  /** Attempts for one message before it gives up; without it there is no end but `signal`. One renewal is none. */
  readonly maxAttempts?: number;
  /** Told of every attempt that failed, and how long it waits before the next, in milliseconds. */
  readonly onRetry?: (error: Error, waitMs: number, hint: string | null) => void;
  /** Told of every session that it opens. */
  readonly onSession?: (session: PawlConnection) => void;
  /** Told when it could not come back after a renewal; the next message tries again. */
  readonly onLost?: (error: Error) => void;
  /** 0 … 1, for the jitter of the waits; random unless given. */
  readonly jitter?: () => number;
}

/** After so many silent closes in a row the client is probably behind (section 4.5.5). */
const SILENT_CLOSES = 3;
const BEHIND =
  "the server keeps closing in silence: this client may be revoked, or behind (an old copy of its credential was put back); " +
  "the operator sees which, and can reissue it";

/**
 * A client that connects when it has something to send, again when its session ended and there is something to send, and
 * at once when the server renews it, with back-off. A message that may have counted is never repeated: the caller is told
 * by the error's `mayHaveCounted`.
 */
export interface ReconnectingClient {
  /** Connects now rather than with the first message. @throws as `send` */
  open(): Promise<void>;
  /**
   * @throws SessionEndedError or ReplyTimeoutError with `mayHaveCounted` true: the message may have counted, and the
   * caller decides; superseded and revoked are final, as are violations and a credential that cannot be used
   */
  send(message: string | Uint8Array): Promise<Aggregate>;
  request(message: string | Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

export function connectWithBackoff(options: BackoffOptions): ReconnectingClient {
  return new Reconnecting(options);
}

class Reconnecting implements ReconnectingClient {
  readonly #options: BackoffOptions;
  readonly #clock: Clock;
  /** Ends waits and attempts: the caller's signal, or `close`. */
  readonly #stop: AbortSignal;
  readonly #closing = new AbortController();
  #connection: PawlConnection | null = null;
  #opening: Promise<PawlConnection> | null = null;
  #waitMs = BACKOFF_FIRST_MS;
  #silentCloses = 0;
  /** Sessions that were renewed one upon the other, each soon and without an answer to a message. */
  #idleRenewals = 0;
  #comingBack = false;
  /** What ended it for good. */
  #final: Error | null = null;
  #line: Promise<unknown> = Promise.resolve();

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { signal } = options;
    this.#stop =
      signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
  }

  async open(): Promise<void> {
    await this.#inTurn(async () => {});
  }

  async send(message: string | Uint8Array): Promise<Aggregate> {
    return parseAggregate(await this.request(message));
  }

  request(message: string | Uint8Array): Promise<Uint8Array> {
    return this.#inTurn(async (connection) => {
      const answer = await connection.request(message);
      this.#reset();
      // The session may have been renewed right behind its answer.
      if (this.#connection !== connection) this.#idleRenewals = 1;
      return answer;
    });
  }

  async close(): Promise<void> {
    this.#final ??= new SessionEndedError("the client was closed", "done", false);
    const [connection, opening] = [this.#connection, this.#opening];
    this.#connection = null;
    this.#closing.abort();
    await Promise.allSettled([connection?.close(), opening]);
  }

  #inTurn<T>(work: (connection: PawlConnection) => Promise<T>): Promise<T> {
    const turn = this.#line.then(() => this.#deliver(work));
    this.#line = turn.catch(() => {});
    return turn;
  }

  async #deliver<T>(work: (connection: PawlConnection) => Promise<T>): Promise<T> {
    const { maxAttempts = Number.POSITIVE_INFINITY } = this.#options;
    let renewed = false;
    for (let attempt = 1; ; attempt++) {
      let connection: PawlConnection | null = null;
      try {
        connection = await this.#open();
        return await work(connection);
      } catch (error) {
        if (connection !== null && isOver(error)) await this.#leave(connection);
        if (!(error instanceof Error) || !this.#mayRepeat(error)) throw error;
        const renewal = isRenewal(error) && !renewed;
        if (renewal) {
          renewed = true;
          attempt--;
        }
        if (attempt >= maxAttempts) throw error;
        if (!renewal || this.#idleRenewals > 1) await this.#wait(error);
      }
    }
  }

  /** The session that there is, or a new one. @throws what `connect` throws; what ended the client for good */
  async #open(options: { cover?: boolean } = {}): Promise<PawlConnection> {
    if (this.#final !== null) throw this.#final;
    if (this.#connection !== null) return this.#connection;
    this.#opening ??= this.#connect(options.cover === true).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #connect(cover: boolean): Promise<PawlConnection> {
    const connection = await connect({ ...this.#options, signal: this.#stop }).catch((error: unknown) => {
      throw this.#final ?? error;
    });
    this.#connection = connection;
    const since = this.#clock.elapsed();
    void connection.closed.then(({ reason }) => {
      if (reason !== "renew") return;
      if (this.#connection === connection) this.#connection = null;
      if (this.#clock.elapsed() - since >= BACKOFF_LAST_MS) this.#reset();
      this.#idleRenewals++;
      void this.#comeBack();
    });
    // A session without a first packet is closed after seconds. How the cover fares, the session's end says.
    if (cover && this.#options.coverFirst !== true) connection.cover().catch(() => {});
    this.#options.onSession?.(connection);
    return connection;
  }

  /** A session that worked is behind us: the next failure is a first one. */
  #reset(): void {
    this.#waitMs = BACKOFF_FIRST_MS;
    this.#silentCloses = 0;
    this.#idleRenewals = 0;
  }

  /** Its credential is free for the next session only when it is closed. */
  async #leave(connection: PawlConnection): Promise<void> {
    if (this.#connection === connection) this.#connection = null;
    await connection.closed;
  }

  /** After a renewal, whether or not there is something to send. A message that comes meanwhile does not wait for it. */
  async #comeBack(): Promise<void> {
    if (this.#comingBack) return;
    this.#comingBack = true;
    const { maxAttempts = Number.POSITIVE_INFINITY, onLost } = this.#options;
    try {
      // What is under way opens a session by itself where it needs one.
      await this.#line;
      if (this.#final !== null || this.#connection !== null) return;
      if (this.#idleRenewals > 1) await this.#wait(new SessionEndedError("renewed again", "renew", false));
      for (let attempt = 1; this.#final === null && this.#connection === null; attempt++) {
        try {
          await this.#open({ cover: true });
          return;
        } catch (error) {
          if (!(error instanceof Error) || attempt >= maxAttempts || !this.#mayRepeat(error)) throw error;
          await this.#wait(error);
        }
      }
    } catch (error) {
      if (!this.#stop.aborted && error instanceof Error) onLost?.(error);
    } finally {
      this.#comingBack = false;
    }
  }

  /** Whether the message surely did not count, and another attempt may help. */
  #mayRepeat(error: Error): boolean {
    if (error instanceof ConnectError) return error.reason !== "ABORTED";
    if (error instanceof HandshakeRefusedError || error instanceof HandshakeTimeoutError) return true;
    if (!(error instanceof SessionEndedError)) return false;
    if (error.reason === "superseded" || error.reason === "revoked") {
      this.#final = error;
      return false;
    }
    // A proper end leaves nothing in doubt: the message was never sent. A violation is the caller's to judge.
    return !error.mayHaveCounted && error.cause === undefined;
  }

  async #wait(error: Error): Promise<void> {
    this.#silentCloses = error instanceof HandshakeRefusedError ? this.#silentCloses + 1 : 0;
    const jitter = this.#options.jitter ?? Math.random;
    const waitMs = Math.round(this.#waitMs * (0.5 + jitter() / 2));
    this.#waitMs = Math.min(this.#waitMs * 2, BACKOFF_LAST_MS);
    this.#options.onRetry?.(error, waitMs, this.#silentCloses >= SILENT_CLOSES ? BEHIND : null);
    const stop = this.#stop;
    await new Promise<void>((resolve, reject) => {
      const aborted = () => {
        cancel();
        reject(this.#final ?? error);
      };
      const cancel = this.#clock.after(waitMs, () => {
        stop.removeEventListener("abort", aborted);
        resolve();
      });
      if (stop.aborted) aborted();
      else stop.addEventListener("abort", aborted, { once: true });
    });
  }
}

/** Whether the session that the error came from has ended. */
function isOver(error: unknown): boolean {
  return error instanceof SessionEndedError || error instanceof ReplyTimeoutError;
}

function isRenewal(error: Error): boolean {
  return error instanceof SessionEndedError && error.reason === "renew";
}
