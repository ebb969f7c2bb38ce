import type { ClientId, Epoch, Kind, Round, SuiteName, TerminateReason } from "@pawl/protocol";
import { messageValue, type RoundsBackend } from "./rounds/index.ts";

/** A live session, as an application sees it. */
export interface ServerSessionHandle {
  /** Counts the connections of this server. */
  readonly id: number;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
  readonly suite: SuiteName;
  readonly remoteAddress: string;
  /** The round of the message that is being answered. */
  readonly round: Round;
  /**
   * Ends the session with TERMINATE (classic: by closing). With `renew`, where a message is being answered, after the
   * answer, since its client takes the message for one that has not counted. So it would with `conflict`, which is the
   * server's own.
   */
  terminate(reason?: Exclude<TerminateReason, "conflict">): void;
}

/** A live session, as the server itself sees it. */
export interface LiveSession extends ServerSessionHandle {
  /** Of its client's record; null where it has none. */
  readonly generation: bigint | null;
}

/** What a handle needs of its connection. */
interface Handled extends Pick<ServerSessionHandle, "id" | "remoteAddress" | "round"> {
  terminate(reason: TerminateReason): void;
}

/** The handle of a connection that has become live. Its round is the connection's, whenever it is read. */
export class SessionHandle implements LiveSession {
  readonly id: number;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
  readonly suite: SuiteName;
  readonly generation: bigint | null;
  readonly remoteAddress: string;
  readonly #connection: Handled;

  constructor(
    connection: Handled,
    clientId: ClientId,
    epoch: Epoch,
    suite: SuiteName,
    generation: bigint | null,
  ) {
    this.id = connection.id;
    this.clientId = clientId;
    this.epoch = epoch;
    this.suite = suite;
    this.generation = generation;
    this.remoteAddress = connection.remoteAddress;
    this.#connection = connection;
  }

  get round(): Round {
    return this.#connection.round;
  }

  terminate(reason: TerminateReason = "done"): void {
    this.#connection.terminate(reason);
  }
}

/**
 * Answers one message of an authenticated client. Text is sent as UTF-8. What it throws ends the session, with an
 * `application-error`. The message is a view of memory that others share, up to 16 KiB of it: what is kept for long, or handed
 * to a thread, is to be copied (`message.slice()`).
 */
export type MessageHandler = (
  session: ServerSessionHandle,
  message: Uint8Array,
) => Uint8Array | string | Promise<Uint8Array | string>;

/** What a server does with verified messages. `answer` is called at most once for each. */
export interface Application {
  live(session: LiveSession): void;
  message(session: LiveSession, message: Uint8Array, kind: Kind, answer: Answer): void;
  ended(session: LiveSession): void;
  /** The server drains. Resolves when what is owed is answered. */
  close(): Promise<void>;
}

export interface Answer {
  (message: Uint8Array): void;
  /** The handler failed. */
  failed: (error: unknown) => void;
}

/** Any handler of messages. Covers are answered with an empty message and not shown to it. */
export class HandlerApplication implements Application {
  readonly #handler: MessageHandler;
  readonly #encoder = new TextEncoder();

  constructor(handler: MessageHandler) {
    this.#handler = handler;
  }

  live(): void {}
  ended(): void {}
  async close(): Promise<void> {}

  message(session: LiveSession, message: Uint8Array, kind: Kind, answer: Answer): void {
    if (kind === "cover") {
      answer(new Uint8Array());
      return;
    }
    try {
      const reply = this.#handler(session, message);
      if (reply instanceof Promise) reply.then((late) => answer(this.#bytes(late)), answer.failed);
      else answer(this.#bytes(reply));
    } catch (error) {
      answer.failed(error);
    }
  }

  #bytes(reply: Uint8Array | string): Uint8Array {
    return typeof reply === "string" ? this.#encoder.encode(reply) : reply;
  }
}

/** Section 5, the default. */
export class RoundsApplication implements Application {
  readonly #rounds: RoundsBackend;

  constructor(rounds: RoundsBackend) {
    this.#rounds = rounds;
  }

  live(session: LiveSession): void {
    this.#rounds.join(session);
  }

  message(session: LiveSession, message: Uint8Array, kind: Kind, answer: Answer): void {
    this.#rounds.contribute(session, kind === "cover" ? null : messageValue(message), answer);
  }

  ended(session: LiveSession): void {
    this.#rounds.leave(session);
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }
}
