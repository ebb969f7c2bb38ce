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
  /** Attempts for one message before it gives up; without it there is no end but `signal`. */
  readonly maxAttempts?: number;
  /** Told of every attempt that failed, and how long it waits before the next, in milliseconds. */
  readonly onRetry?: (error: Error, waitMs: number, hint: string | null) => void;
  /** 0 … 1, for the jitter of the waits; random unless given. */
  readonly jitter?: () => number;
}

/** After so many silent closes in a row the client is probably behind (section 4.5.5). */
const SILENT_CLOSES = 3;
const BEHIND =
  "the server keeps closing in silence: this client may be revoked, or behind (an old copy of its credential was put back); " +
  "the operator sees which, and can reissue it";

/**
 * A client that connects when it has something to send and again when its session was ended (renew, conflict), with
 * back-off. A message that may have counted is never repeated: the caller is told by the error's `mayHaveCounted`.
 */
export interface ReconnectingClient {
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
  #connection: PawlConnection | null = null;
  #waitMs = BACKOFF_FIRST_MS;
  #silentCloses = 0;
  /** What ended it for good. */
  #final: Error | null = null;
  #line: Promise<unknown> = Promise.resolve();

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async send(message: string | Uint8Array): Promise<Aggregate> {
    return parseAggregate(await this.request(message));
  }

  request(message: string | Uint8Array): Promise<Uint8Array> {
    const turn = this.#line.then(() => this.#deliver(message));
    this.#line = turn.catch(() => {});
    return turn;
  }

  async close(): Promise<void> {
    this.#final ??= new SessionEndedError("the client was closed", "done", false);
    const connection = this.#connection;
    this.#connection = null;
    await connection?.close();
  }

  async #deliver(message: string | Uint8Array): Promise<Uint8Array> {
    const { maxAttempts = Number.POSITIVE_INFINITY } = this.#options;
    for (let attempt = 1; ; attempt++) {
      if (this.#final !== null) throw this.#final;
      try {
        this.#connection ??= await connect(this.#options);
        const answer = await this.#connection.request(message);
        this.#waitMs = BACKOFF_FIRST_MS;
        this.#silentCloses = 0;
        return answer;
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        if (error instanceof SessionEndedError) this.#connection = null;
        if (!this.#mayRepeat(error) || attempt >= maxAttempts) throw error;
        await this.#wait(error);
      }
    }
  }

  /** Whether the message surely did not count, and another attempt may help. */
  #mayRepeat(error: Error): boolean {
    if (error instanceof ConnectError) return error.reason !== "ABORTED";
    if (error instanceof HandshakeRefusedError || error instanceof HandshakeTimeoutError) return true;
    if (error instanceof SessionEndedError && (error.reason === "superseded" || error.reason === "revoked")) {
      this.#final = error;
      return false;
    }
    // After a time-out the connection is over as well; the next message opens another.
    if (error instanceof ReplyTimeoutError) this.#connection = null;
    if (!(error instanceof SessionEndedError) || error.mayHaveCounted) return false;
    // A proper end leaves nothing in doubt: the message was never sent. A violation is the caller's to judge.
    return error.cause === undefined;
  }

  async #wait(error: Error): Promise<void> {
    this.#silentCloses = error instanceof HandshakeRefusedError ? this.#silentCloses + 1 : 0;
    const jitter = this.#options.jitter ?? Math.random;
    const waitMs = Math.round(this.#waitMs * (0.5 + jitter() / 2));
    this.#waitMs = Math.min(this.#waitMs * 2, BACKOFF_LAST_MS);
    this.#options.onRetry?.(error, waitMs, this.#silentCloses >= SILENT_CLOSES ? BEHIND : null);
    const { signal } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const aborted = () => {
        cancel();
        reject(error);
      };
      const cancel = this.#clock.after(waitMs, () => {
        signal?.removeEventListener("abort", aborted);
        resolve();
      });
      if (signal?.aborted) aborted();
      else signal?.addEventListener("abort", aborted, { once: true });
    });
  }
}
