import {
  type ClientId,
  concat,
  copyOf,
  type Epoch,
  type Round,
  readU32,
  samePublicBytes,
  wipe,
} from "./bytes.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import type { ClientEffect } from "./effects.ts";
import { EpochExhaustedError, FormatError, FreshnessError, IllegalTransitionError } from "./errors.ts";
import type { ClientEvent } from "./events.ts";
import { ClassicChain, EpochSecret, transcriptOf } from "./key-schedule.ts";
import {
  CLASSIC_NONCE_BYTES,
  DEFAULT_MAX_MESSAGE,
  LAST_BYTES,
  LAST_EPOCH,
  LAST_ROUND,
  LENGTH_BYTES,
  MAX_HANDSHAKE_PACKET,
  NONCE_BYTES,
  SECRET_BYTES,
} from "./limits.ts";
import type { PaddingPolicy } from "./padding.ts";
import { openHandshake, RecordOpener, RecordSealer, sealHandshake } from "./record.ts";
import { type Received, Session } from "./session.ts";
import { firstMessageLimit, packetLimit, SUITES, type Suite } from "./suites.ts";
import { CLIENT_TRANSITIONS, type ClientHandler, type ClientState } from "./transitions.ts";
import type { Header } from "./wire.ts";

export interface ClientSessionOptions {
  readonly crypto: CryptoProvider;
  readonly suite: Suite;
  readonly clientId: ClientId;
  /** 0 in classic. */
  readonly epoch: Epoch;
  /** `E_epoch` (32 bytes), in classic the base key. Taken over: the session overwrites it. */
  readonly secret: Uint8Array;
  /** 16 bytes (section 4.4); zeros where the client did not come to this epoch by a session. */
  readonly last: Uint8Array;
  /** Classic has no way to learn the server's: bytes, 1 MiB unless given. */
  readonly maxMessage?: number;
  /** For DATA, unless a `send` says otherwise. */
  readonly padding?: PaddingPolicy;
}

type EventOf<T extends ClientEvent["type"]> = Extract<ClientEvent, { type: T }>;

/** Bytes of message of a CHALLENGE in the strict suites: `H(HELLO) ‖ nonce ‖ u32 maxMessage`. */
const CHALLENGE_BYTES = SECRET_BYTES + NONCE_BYTES + 4;

/** The client's side of one connection (sections 2, 3, 4.4, 4.5.1). */
export class ClientSession extends Session<ClientState, ClientEvent, ClientEffect, ClientHandler> {
  readonly #suite: Suite;
  readonly #clientId: ClientId;
  readonly #epoch: Epoch;
  readonly #last: Uint8Array;
  /** `E_e` until CHALLENGE; null in classic. */
  #secret: EpochSecret | null = null;
  #helloHash: Uint8Array | null = null;
  #maxMessage: number | null = null;
  /** The server's, known from CHALLENGE, in force when the commit is durable. */
  #challengedMaxMessage: number;

  /** @throws EpochExhaustedError at the last epoch: no HELLO is sent at it (section 4.5) */
  constructor(options: ClientSessionOptions) {
    super({
      crypto: options.crypto,
      padding: options.padding,
      table: CLIENT_TRANSITIONS,
      receives: "s2c",
      suites: SUITES,
      states: { start: "idle", terminated: "terminated", ended: "ended" },
    });
    const { crypto, suite, clientId, epoch, secret } = options;
    this.#suite = suite;
    this.#clientId = clientId;
    this.#epoch = epoch;
    this.#last = copyOf(options.last);
    this.#challengedMaxMessage = options.maxMessage ?? DEFAULT_MAX_MESSAGE;
    if (suite.strict) {
      if (epoch === LAST_EPOCH) {
        throw new EpochExhaustedError("this credential is at its last epoch; ask the operator to reissue it");
      }
      this.#secret = new EpochSecret(crypto, suite, clientId, epoch, secret);
    } else {
      this.sealer = new RecordSealer(crypto, ClassicChain.start(crypto, secret, clientId));
      this.opener = new RecordOpener(crypto, ClassicChain.start(crypto, secret, clientId));
      wipe(secret);
    }
  }

  get frameLimit(): number {
    return this.#maxMessage === null ? MAX_HANDSHAKE_PACKET : packetLimit(this.#suite, this.#maxMessage);
  }

  /** The server's limit in bytes of message, null until the session is ready. */
  get maxMessage(): number | null {
    return this.#maxMessage;
  }

  /** The longest message that the next `send` may carry, in bytes: the first DATA of a session has a limit of its own. */
  get messageLimit(): number {
    const max = this.#maxMessage ?? this.#challengedMaxMessage;
    return this.tx === 1 ? firstMessageLimit(max) : max;
  }

  /** A `send` is legal now. */
  get ready(): boolean {
    return this.state === "ready";
  }

  /** The round that the next packet of this side carries. */
  get round(): Round {
    return this.tx as Round;
  }

  // The table pairs each handler with the triggers that it takes; transitions.test.ts walks the grid.
  protected override run(handler: ClientHandler, event: unknown, received: Received | null): ClientState {
    switch (handler) {
      case "start":
        return this.#start(event as EventOf<"start">);
      case "challenge":
        return this.#challenge(received as Received);
      case "committed":
        return this.#committed(event as EventOf<"committed">);
      case "send":
        return this.#send(event as EventOf<"send">);
      case "aggregate":
        return this.#aggregate(received as Received);
      default:
        return this.runCommon(handler, event, received);
    }
  }

  protected override get endsCleanly(): boolean {
    return !this.#suite.strict;
  }

  protected override wipeSecrets(): void {
    this.#secret?.wipe();
    this.#secret = null;
  }

  #start({ nonce, iv }: EventOf<"start">): ClientState {
    this.peer = { suite: this.#suite, clientId: this.#clientId, epoch: this.#epoch };
    if (this.#secret === null) {
      this.seal(
        "HELLO",
        { message: copyOf(nonce, 0, CLASSIC_NONCE_BYTES), kind: "message" },
        CLASSIC_NONCE_BYTES,
        iv,
      );
      return "wait-challenge";
    }
    const header: Header = { ...this.peer, opcode: "HELLO", direction: "c2s", round: 0 as Round };
    const message = concat(nonce.subarray(0, NONCE_BYTES), this.#last);
    const frame = sealHandshake(this.crypto, this.#secret.helloKeys(), header, message, iv);
    this.#helloHash = this.crypto.sha256(frame.subarray(LENGTH_BYTES));
    this.emit({ type: "send", frame });
    return "wait-challenge";
  }

  /** Section 4.5.1: on a valid CHALLENGE the next epoch is committed before anything more is sent. */
  #challenge(received: Received): ClientState {
    const secret = this.#secret;
    if (secret === null) {
      const { message } = this.open(received);
      if (message.length !== CLASSIC_NONCE_BYTES)
        throw new FormatError("a classic CHALLENGE carries 16 bytes");
      return this.#becomeReady();
    }
    const helloHash = this.#helloHash;
    if (helloHash === null) throw new IllegalTransitionError("CHALLENGE before HELLO");

    this.checkDue(received);
    const message = openHandshake(this.crypto, secret.challengeKeys(), received, CHALLENGE_BYTES);
    if (!samePublicBytes(message.subarray(0, SECRET_BYTES), helloHash)) {
      throw new FreshnessError("CHALLENGE answers another HELLO");
    }
    this.#challengedMaxMessage = readU32(message, SECRET_BYTES + NONCE_BYTES);

    const transcript = transcriptOf(this.crypto, helloHash, received.packet);
    const chains = secret.session().traffic(transcript);
    this.sealer = new RecordSealer(this.crypto, chains.c2s);
    this.opener = new RecordOpener(this.crypto, chains.s2c);
    const next = secret.next();
    this.emit({
      type: "commit",
      expected: { epoch: secret.epoch, secret: secret.copy() },
      next: { epoch: next.epoch, secret: next.copy(), last: copyOf(transcript, 0, LAST_BYTES) },
    });
    next.wipe();
    secret.wipe();
    this.#secret = null;
    return "committing";
  }

  #committed({ outcome }: EventOf<"committed">): ClientState {
    return outcome === "done" ? this.#becomeReady() : this.end({ kind: "commit-failed", outcome });
  }

  #becomeReady(): ClientState {
    this.#maxMessage = this.#challengedMaxMessage;
    this.emit({ type: "ready", maxMessage: this.#maxMessage });
    return "ready";
  }

  #send({ message, kind, iv, padding }: EventOf<"send">): ClientState {
    if (kind === "cover" && !this.#suite.strict)
      throw new IllegalTransitionError("classic has no cover records");
    if (this.tx > LAST_ROUND) return this.terminateWith("renew", iv);
    this.seal("DATA", { message, kind }, this.messageLimit, iv, padding);
    return "wait-aggregate";
  }

  #aggregate(received: Received): ClientState {
    const { message } = this.open(received);
    this.emit({ type: "deliver", round: received.header.round, message });
    return "ready";
  }
}
