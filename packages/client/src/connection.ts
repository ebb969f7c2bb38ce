import type { Socket } from "node:net";
import {
  type ClientEffect,
  type ClientEvent,
  type ClientId,
  ClientSession,
  type CryptoProvider,
  type EndCause,
  type Epoch,
  type Kind,
  LAST_ROUND,
  MessageTooLargeError,
  type PaddingPolicy,
  type PawlError,
  type Round,
  type TerminateReason,
  TruncationError,
  utf8,
  wipe,
} from "@pawl/protocol";
import {
  type Clock,
  halfCloseAndDrain,
  PacketSource,
  type Random,
  sendFrame,
  type Timer,
} from "@pawl/protocol/driver";
import { type Aggregate, parseAggregate } from "./aggregate.ts";
import type { Credential } from "./credential.ts";
import type { CredentialStore } from "./credential-store.ts";
import {
  CredentialChangedError,
  CredentialStorageError,
  HandshakeRefusedError,
  HandshakeTimeoutError,
  ReplyTimeoutError,
  SessionEndedError,
} from "./errors.ts";

/** How a connection ended. */
export interface EndInfo {
  /** What TERMINATE said; null where the stream ended otherwise. */
  readonly reason: TerminateReason | null;
  readonly by: "local" | "peer" | null;
  /** The violation, or the failure of this side; null after a proper end. */
  readonly error: PawlError | null;
}

/** One session with a server, after its handshake. Use `connect` to make one. */
export interface PawlConnection {
  readonly clientId: ClientId;
  /** Of this session; 0 in classic. */
  readonly epoch: Epoch;
  /** The server's limit, in bytes of message. */
  readonly maxMessage: number;
  /** The round that the next message carries. */
  readonly round: Round;
  /**
   * One round: sends text (or bytes), resolves with the round's aggregate. Calls made meanwhile wait their turn.
   * @throws MessageTooLargeError, ReplyFormatError (the session goes on); SessionEndedError, ReplyTimeoutError (it is
   * over, and `mayHaveCounted` says whether the message may have arrived)
   */
  send(message: string | Uint8Array): Promise<Aggregate>;
  /** As `send`, for any application: resolves with the answer's bytes. */
  request(message: string | Uint8Array): Promise<Uint8Array>;
  /** A cover: looks like a message, contributes nothing. Not in classic. */
  cover(): Promise<void>;
  /** Ends the session with TERMINATE, waits until the connection is closed. Calls that wait are refused. */
  close(): Promise<void>;
  /** Resolves, never rejects, when the session is over. */
  readonly closed: Promise<EndInfo>;
}

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly store: CredentialStore;
  readonly credential: Credential;
  readonly padding: PaddingPolicy | undefined;
  readonly maxMessage: number | undefined;
  readonly coverFirst: boolean;
  readonly handshakeTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
}

/** A message that waits for its turn, or for its answer. */
interface Call {
  readonly message: Uint8Array;
  readonly kind: Kind;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** The socket driver of one ClientSession: events in, effects carried out in order. */
export class Connection implements PawlConnection {
  readonly clientId: ClientId;
  readonly epoch: Epoch;
  readonly closed: Promise<EndInfo>;
  readonly #options: ConnectionOptions;
  readonly #session: ClientSession;
  readonly #socket: Socket;
  readonly #source: PacketSource;
  readonly #ready: Promise<void>;
  #settleReady: { resolve: () => void; reject: (error: Error) => void } = {
    resolve: () => {},
    reject: () => {},
  };
  #settleClosed: (info: EndInfo) => void = () => {};
  #outstanding: Call | null = null;
  /** In the order of their turns. */
  readonly #waiting: Call[] = [];
  /** Restarted with each message; set with the first. */
  #replyTimer: Timer | null = null;
  #ended: EndInfo | null = null;
  #failure: Error | null = null;
  #pumping = false;
  #greeted = false;

  /** @throws EpochExhaustedError */
  constructor(options: ConnectionOptions) {
    const { credential, crypto, padding, maxMessage, socket } = options;
    const { suite, clientId, epoch, secret, last } = credential;
    this.#options = options;
    this.#socket = socket;
    this.clientId = clientId;
    this.epoch = epoch;
    this.#session = new ClientSession({
      crypto,
      suite,
      clientId,
      epoch,
      secret,
      last,
      ...(padding === undefined ? {} : { padding }),
      ...(maxMessage === undefined ? {} : { maxMessage }),
    });
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.#source = new PacketSource(socket, () => this.#pump());
  }

  get maxMessage(): number {
    return this.#session.maxMessage ?? 0;
  }

  get round(): Round {
    return this.#session.round;
  }

  /** HELLO, CHALLENGE, and the durable move to the next epoch. */
  async handshake(): Promise<void> {
    const { clock, handshakeTimeoutMs, random } = this.#options;
    const cancel = clock.after(handshakeTimeoutMs, () => {
      this.#failure ??= new HandshakeTimeoutError(handshakeTimeoutMs);
      this.#step({ type: "abort" });
    });
    this.#step({ type: "start", nonce: random(32), iv: random(16) });
    this.#pump();
    try {
      await this.#ready;
      this.#greeted = true;
      if (this.#options.coverFirst) await this.cover();
    } finally {
      cancel();
    }
  }

  async send(message: string | Uint8Array): Promise<Aggregate> {
    return parseAggregate(await this.request(message));
  }

  request(message: string | Uint8Array): Promise<Uint8Array> {
    return this.#exchange(typeof message === "string" ? utf8(message) : message, "message");
  }

  async cover(): Promise<void> {
    await this.#exchange(new Uint8Array(), "cover");
  }

  async close(): Promise<void> {
    this.#terminate("done");
    await this.closed;
    if (!this.#socket.destroyed) await new Promise((resolve) => this.#socket.once("close", resolve));
  }

  /** Drops the connection at once, in silence: before the handshake is complete there is nothing to say. */
  abort(error: Error): void {
    this.#failure ??= error;
    this.#step({ type: "abort" });
  }

  #exchange(message: Uint8Array, kind: Kind): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, kind, resolve, reject });
      this.#sendNext();
    });
  }

  /** Sends what is next in line, where nothing is outstanding. */
  #sendNext(): void {
    while (this.#outstanding === null) {
      const call = this.#waiting.shift();
      if (call === undefined) return;
      try {
        if (this.#ended !== null) throw this.#endedError(this.#ended, false);
        this.#send(call);
      } catch (error) {
        call.reject(error as Error);
      }
    }
  }

  #send(call: Call): void {
    const { message, kind } = call;
    const limit = this.#session.messageLimit;
    if (message.length > limit) {
      // Section 1: a client whose first message is larger than a first DATA may be opens with a cover, which classic has not.
      if (message.length > this.maxMessage || !this.#options.credential.suite.strict)
        throw new MessageTooLargeError(message.length, limit);
      this.#send({ message: new Uint8Array(), kind: "cover", resolve: () => {}, reject: () => {} });
      this.#waiting.unshift(call);
      return;
    }
    if (this.#replyTimer === null) this.#replyTimer = this.#startReplyTimer();
    else this.#replyTimer.restart();
    this.#outstanding = call;
    // At its last round the session sends TERMINATE (renew) instead, and nothing is outstanding.
    if (this.#session.round > LAST_ROUND) this.#dropOutstanding(false);
    try {
      this.#step({ type: "send", message, kind, iv: this.#options.random(16) });
    } catch (error) {
      // Nothing was sent (a cover in classic, which has none).
      this.#outstanding = null;
      throw error;
    }
  }

  #startReplyTimer(): Timer {
    const { clock, replyTimeoutMs } = this.#options;
    return clock.timer(replyTimeoutMs, () => {
      // It runs on when the answer has come: only the next message puts it off.
      if (this.#outstanding === null) return;
      this.#failure ??= new ReplyTimeoutError(replyTimeoutMs);
      this.#terminate("done");
    });
  }

  #terminate(reason: TerminateReason): void {
    if (this.#ended !== null) return;
    // While the next epoch is being stored nothing can be sent.
    if (this.#session.awaiting) this.#step({ type: "abort" });
    else this.#step({ type: "terminate", reason, iv: this.#options.random(16) });
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#ended === null && !this.#session.awaiting) {
      const event = this.#source.next(this.#session.frameLimit);
      if (event === null) break;
      this.#step(event);
    }
    this.#pumping = false;
    if (this.#ended !== null) return;
    this.#source.flow(!this.#session.awaiting);
  }

  #step(event: ClientEvent): void {
    for (const effect of this.#session.handle(event)) this.#carryOut(effect);
  }

  #carryOut(effect: ClientEffect): void {
    switch (effect.type) {
      case "send":
        sendFrame(this.#socket, effect.frame, this.#options.crypto);
        return;
      case "commit":
        void this.#commit(effect);
        return;
      case "ready":
        this.#settleReady.resolve();
        return;
      case "deliver": {
        const call = this.#outstanding;
        this.#outstanding = null;
        call?.resolve(effect.message);
        this.#sendNext();
        return;
      }
      case "end":
        this.#finish(effect.cause);
        return;
      default:
        effect satisfies never;
    }
  }

  async #commit({ expected, next }: Extract<ClientEffect, { type: "commit" }>): Promise<void> {
    let outcome: "done" | "lost" | "unknown";
    try {
      outcome = await this.#options.store.commit(expected, next);
      if (outcome === "lost") {
        this.#failure ??= new CredentialChangedError(
          null,
          "the credential was moved forward by somebody else meanwhile; nothing was written",
        );
      }
    } catch (error) {
      outcome = "unknown";
      this.#failure ??=
        error instanceof Error
          ? error
          : new CredentialStorageError(null, "the credential could not be stored");
    } finally {
      wipe(expected.secret, next.secret);
    }
    if (this.#ended !== null) return;
    this.#step({ type: "committed", outcome });
    this.#pump();
  }

  #finish(cause: EndCause): void {
    if (this.#ended !== null) return;
    const terminated = cause.kind === "terminated" ? cause : null;
    const info: EndInfo = {
      reason: terminated?.reason ?? null,
      by: terminated?.by ?? null,
      error: cause.kind === "violation" ? cause.error : null,
    };
    this.#ended = info;
    this.#source.close();
    if (terminated !== null || cause.kind === "end-of-stream")
      halfCloseAndDrain(this.#socket, this.#options.clock);
    // What a client of classic ends by closing has been answered: nothing is lost.
    else this.#socket.destroy();
    if (!this.#greeted) {
      this.#settleReady.reject(this.#handshakeError(cause));
      this.#ready.catch(() => {});
    }
    // A server says conflict in place of its first answer, and renew between answers: it has counted nothing then (2.3).
    const discarded = info.by === "peer" && (info.reason === "conflict" || info.reason === "renew");
    this.#dropOutstanding(!discarded);
    this.#replyTimer?.cancel();
    this.#sendNext();
    const settle = () => this.#settleClosed(info);
    this.#options.store.close().then(settle, settle);
  }

  #dropOutstanding(mayHaveCounted: boolean): void {
    const outstanding = this.#outstanding;
    this.#outstanding = null;
    if (outstanding === null) return;
    const info = this.#ended ?? { reason: "renew", by: "local", error: null };
    outstanding.reject(this.#endedError(info, mayHaveCounted));
  }

  #endedError(info: EndInfo, mayHaveCounted: boolean): Error {
    if (this.#failure instanceof ReplyTimeoutError && mayHaveCounted) return this.#failure;
    const what =
      info.reason !== null
        ? `the session ended: ${REASONS[info.reason]}`
        : info.error !== null
          ? `the session was ended by a violation of the protocol: ${info.error.message}`
          : "the connection is closed";
    const options = info.error === null ? {} : { cause: info.error };
    return new SessionEndedError(what, info.reason, mayHaveCounted, options);
  }

  /** What `connect` rejects with. */
  #handshakeError(cause: EndCause): Error {
    if (this.#failure !== null) return this.#failure;
    if (cause.kind === "violation" && !(cause.error instanceof TruncationError && !this.#greeted))
      return cause.error;
    if (cause.kind === "violation") return new HandshakeRefusedError({ cause: cause.error });
    if (cause.kind === "terminated") {
      return new SessionEndedError(`the session ended: ${REASONS[cause.reason]}`, cause.reason, false);
    }
    return new HandshakeRefusedError();
  }
}

const REASONS: Readonly<Record<TerminateReason, string>> = {
  done: "done",
  shutdown: "the server is shutting down",
  idle: "there was no message for too long",
  superseded: "a newer session of this client, or a reissued credential, took its place",
  revoked: "this client is revoked",
  renew: "it has to be renewed; connect again",
  conflict:
    "another holder of this credential was first, or the server could not store its move; connect again",
};
