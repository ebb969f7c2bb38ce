import { type ClientId, concat, copyOf, type Epoch, type Round, u32, wipe } from "./bytes.ts";
import { acceptedAnother, type ClientRecord, reasonOfLoss } from "./client-record.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import type { ServerEffect } from "./effects.ts";
import { FormatError, IdentityError, IllegalTransitionError } from "./errors.ts";
import type { ServerEvent } from "./events.ts";
import { HelloDecision, type HelloStep } from "./hello-decision.ts";
import { ClassicChain, EpochSecret, transcriptOf } from "./key-schedule.ts";
import {
  CLASSIC_NONCE_BYTES,
  LAST_BYTES,
  LENGTH_BYTES,
  MAX_HANDSHAKE_PACKET,
  MIN_MAX_MESSAGE,
  NONCE_BYTES,
} from "./limits.ts";
import type { Kind, PaddingPolicy } from "./padding.ts";
import type { TerminateReason } from "./reasons.ts";
import { RecordOpener, RecordSealer, sealHandshake } from "./record.ts";
import { type Received, Session } from "./session.ts";
import { firstMessageLimit, packetLimit, type Suite } from "./suites.ts";
import { SERVER_TRANSITIONS, type ServerHandler, type ServerState } from "./transitions.ts";
import type { Header } from "./wire.ts";

export interface ServerSessionOptions {
  readonly crypto: CryptoProvider;
  /** Those that this server runs. */
  readonly suites: readonly Suite[];
  /** Bytes of message, at least 4 KiB. */
  readonly maxMessage: number;
  /** For AGGREGATE, unless an `answer` says otherwise. */
  readonly padding?: PaddingPolicy;
}

type EventOf<T extends ServerEvent["type"]> = Extract<ServerEvent, { type: T }>;
interface Entropy {
  readonly nonce: Uint8Array;
  readonly iv: Uint8Array;
}

/** From HELLO's verification to the commit of the first packet (strict suites). */
interface Proof {
  readonly generation: bigint;
  /** `E_{e+1}`, null once forgotten because the stored epoch has moved. */
  next: EpochSecret | null;
  /** The first 16 bytes of `T`, set with CHALLENGE. */
  t: Uint8Array;
}

/** A verified first packet that waits for its commit. */
interface FirstPacket {
  readonly round: Round;
  readonly message: Uint8Array;
  readonly kind: Kind;
  /** Set where it is a TERMINATE. */
  readonly terminate: TerminateReason | null;
}

/** The server's side of one connection (sections 2, 3, 4.4, 4.5). */
export class ServerSession extends Session<ServerState, ServerEvent, ServerEffect, ServerHandler> {
  readonly #maxMessage: number;
  /** From HELLO to CHALLENGE. */
  #hello: HelloDecision | null = null;
  #proof: Proof | null = null;
  #first: FirstPacket | null = null;
  #live = false;

  /** @throws RangeError where `maxMessage` is under 4 KiB or no u32 */
  constructor(options: ServerSessionOptions) {
    super({
      crypto: options.crypto,
      padding: options.padding,
      table: SERVER_TRANSITIONS,
      receives: "c2s",
      suites: options.suites,
      states: { start: "wait-hello", terminated: "terminated", ended: "ended" },
    });
    const { maxMessage } = options;
    if (!Number.isInteger(maxMessage) || maxMessage < MIN_MAX_MESSAGE || maxMessage > 0xffff_ffff) {
      throw new RangeError(
        `maxMessage is an integer from ${MIN_MAX_MESSAGE} to ${0xffff_ffff}, not ${maxMessage}`,
      );
    }
    this.#maxMessage = maxMessage;
  }

  get frameLimit(): number {
    const suite = this.peer?.suite;
    if (suite === undefined) return MAX_HANDSHAKE_PACKET;
    return packetLimit(suite, this.#live ? this.#maxMessage : firstMessageLimit(this.#maxMessage));
  }

  /** Null until HELLO is verified. */
  get suite(): Suite | null {
    return this.peer?.suite ?? null;
  }

  /** Null until HELLO is verified. */
  get clientId(): ClientId | null {
    return this.peer?.clientId ?? null;
  }

  /** Of this session; null until HELLO is verified. */
  get epoch(): Epoch | null {
    return this.peer?.epoch ?? null;
  }

  /** The first packet is committed (classic: verified). */
  get live(): boolean {
    return this.#live;
  }

  /** A DATA was delivered and waits for `answer`. */
  get answering(): boolean {
    return this.state === "answering";
  }

  /** Whom the HELLO names, verified or not; null before one came. */
  get helloClient(): ClientId | null {
    return this.peer?.clientId ?? this.#hello?.received.header.clientId ?? null;
  }

  /** At which epoch; null before HELLO came. */
  get helloEpoch(): Epoch | null {
    return this.peer?.epoch ?? this.#hello?.received.header.epoch ?? null;
  }

  // The table pairs each handler with the triggers that it takes; transitions.test.ts walks the grid.
  protected override run(handler: ServerHandler, event: unknown, received: Received | null): ServerState {
    switch (handler) {
      case "hello":
        this.#hello = new HelloDecision(this.crypto, received as Received, (effect) => this.emit(effect));
        return this.#hello.lookUp().next;
      case "found":
        return this.#found(event as EventOf<"found">);
      case "derived":
        return this.#follow(
          this.#decision().derived((event as EventOf<"derived">).secret),
          event as EventOf<"derived">,
        );
      case "caughtUp":
        return this.#follow(
          this.#decision().caughtUp(event as EventOf<"committed">),
          event as EventOf<"committed">,
        );
      case "firstPacket":
        return this.#firstPacket(received as Received);
      case "reRead":
        return this.#reRead(event as EventOf<"found">);
      case "accepted":
        return this.#accepted(event as EventOf<"committed">);
      case "epochMoved":
        this.#forgetNext();
        return this.state;
      case "expire":
        return this.end({ kind: "deadline" });
      case "data":
        return this.#deliver(received as Received);
      case "answer": {
        const { message, iv, padding } = event as EventOf<"answer">;
        this.seal("AGGREGATE", { message, kind: "message" }, this.#maxMessage, iv, padding);
        return "ready";
      }
      default:
        return this.runCommon(handler, event, received);
    }
  }

  protected override get endsCleanly(): boolean {
    return this.peer?.suite.strict !== true;
  }

  protected override wipeSecrets(): void {
    this.#hello?.wipe();
    this.#forgetNext();
    this.#first = null;
  }

  #forgetNext(): void {
    if (this.#proof === null) return;
    this.#proof.next?.wipe();
    this.#proof.next = null;
  }

  /** Checks 5 to 9 on a HELLO (section 1), and what follows from its epoch (section 4.5.2). */
  #found(event: EventOf<"found">): ServerState {
    const decision = this.#decision();
    try {
      const record = decision.identify(event.record);
      if (!record.suite.strict) return this.#challengeClassic(decision.received, record, event);
      return this.#follow(decision.found(record), event);
    } finally {
      wipe(event.record?.secret);
    }
  }

  #decision(): HelloDecision {
    if (this.#hello === null) throw new IllegalTransitionError("no HELLO is held");
    return this.#hello;
  }

  #follow(step: HelloStep, entropy: Entropy): ServerState {
    if (step.next === "challenge") return this.#challenge(step.secret, step.generation, entropy);
    return step.next === "lost" ? this.end({ kind: "lost" }) : step.next;
  }

  /** Section 4.4. Takes `secret` (`E_e`) over. From here on the connection holds its chains and `E_{e+1}`. */
  #challenge(secret: EpochSecret, generation: bigint, { nonce, iv }: Entropy): ServerState {
    const hello = this.#decision().received;
    const { suite, clientId, epoch } = hello.header;
    const helloHash = this.crypto.sha256(hello.packet);
    const message = concat(helloHash, nonce.subarray(0, NONCE_BYTES), u32(this.#maxMessage));
    const header: Header = {
      suite,
      clientId,
      epoch,
      opcode: "CHALLENGE",
      direction: "s2c",
      round: 0 as Round,
    };
    const frame = sealHandshake(this.crypto, secret.challengeKeys(), header, message, iv);

    const transcript = transcriptOf(this.crypto, helloHash, frame.subarray(LENGTH_BYTES));
    const chains = secret.session().traffic(transcript);
    this.peer = { suite, clientId, epoch };
    this.opener = new RecordOpener(this.crypto, chains.c2s);
    this.sealer = new RecordSealer(this.crypto, chains.s2c);
    this.#proof = { generation, next: secret.next(), t: copyOf(transcript, 0, LAST_BYTES) };
    this.#hello = null;
    secret.wipe();
    this.emit({ type: "send", frame });
    this.emit({ type: "set-deadline", deadline: "first-packet" });
    return "wait-first";
  }

  /** Section 3: HELLO and CHALLENGE move the keys of their directions; a live client's second connection is refused. */
  #challengeClassic(hello: Received, record: ClientRecord, event: EventOf<"found">): ServerState {
    const { suite, clientId } = record;
    if (event.live) throw new IdentityError("a second connection of a live client", "live");
    this.peer = { suite, clientId, epoch: 0 as Epoch };
    this.opener = new RecordOpener(this.crypto, ClassicChain.start(this.crypto, record.secret, clientId));
    this.sealer = new RecordSealer(this.crypto, ClassicChain.start(this.crypto, record.secret, clientId));
    const { message } = this.open(hello);
    if (message.length !== CLASSIC_NONCE_BYTES) throw new FormatError("a classic HELLO carries 16 bytes");
    this.#hello = null;
    const nonce = copyOf(event.nonce, 0, CLASSIC_NONCE_BYTES);
    this.seal("CHALLENGE", { message: nonce, kind: "message" }, CLASSIC_NONCE_BYTES, event.iv);
    this.emit({ type: "set-deadline", deadline: "first-packet" });
    return "wait-first";
  }

  /** Section 4.5.3: proof that the client is live in this session. It counts when the move of the epoch is durable. */
  #firstPacket(received: Received): ServerState {
    const content = this.open(received);
    const terminate = received.header.opcode === "TERMINATE" ? this.reasonOf(content) : null;
    this.#first = { ...content, round: received.header.round, terminate };
    const proof = this.#proof;
    if (proof === null) return this.#becomeLive();
    if (proof.next === null) {
      const { clientId, suite, epoch } = received.header;
      this.emit({ type: "look-up", clientId, suite, epoch });
      return "re-reading";
    }
    return this.#commitFirst(proof, proof.next);
  }

  #commitFirst(proof: Proof, next: EpochSecret): ServerState {
    const { suite, clientId } = next;
    const epoch = (next.epoch - 1) as Epoch;
    this.emit({
      type: "commit",
      clientId,
      suite,
      expected: { generation: proof.generation, epoch },
      next: { epoch: next.epoch, secret: next.copy() },
      accepted: { epoch, t: proof.t },
    });
    next.wipe();
    proof.next = null;
    return "committing";
  }

  /** The epoch was said to have moved: it may have come back to this session's own (a catch-up of its own HELLO). */
  #reRead({ record, iv }: EventOf<"found">): ServerState {
    const proof = this.#proof;
    const peer = this.peer;
    if (proof === null || peer === null) throw new IllegalTransitionError("no first packet is held");
    if (
      record === null ||
      record.revoked ||
      record.generation !== proof.generation ||
      record.epoch !== peer.epoch
    ) {
      return this.#lose(record, iv);
    }
    const stored = new EpochSecret(this.crypto, record.suite, record.clientId, record.epoch, record.secret);
    const next = stored.next();
    stored.wipe();
    return this.#commitFirst(proof, next);
  }

  #accepted(event: EventOf<"committed">): ServerState {
    if (event.outcome === "done") return this.#becomeLive();
    return this.#lose(event.outcome === "lost" ? event.current : undefined, event.iv);
  }

  #becomeLive(): ServerState {
    const first = this.#first;
    const peer = this.peer;
    if (first === null || peer === null) throw new IllegalTransitionError("no first packet is held");
    this.#first = null;
    this.#proof = null;
    this.#live = true;
    this.emit({ type: "set-deadline", deadline: "none" });
    this.emit({ type: "live", ...peer });
    if (first.terminate !== null) {
      return this.end({ kind: "terminated", by: "peer", reason: first.terminate });
    }
    this.emit({ type: "deliver", round: first.round, message: first.message, kind: first.kind });
    return "answering";
  }

  /**
   * Section 4.5.4: the first packet lost its compare-and-set, so it does not count.
   * @param current what is stored now, null where the client is gone, undefined where the outcome is unknown
   */
  #lose(current: ClientRecord | null | undefined, iv: Uint8Array): ServerState {
    const { proof, first, peer } = { proof: this.#proof, first: this.#first, peer: this.peer };
    if (proof === null || first === null || peer === null)
      throw new IllegalTransitionError("no commit to lose");
    if (current) wipe(current.secret);
    const { clientId, epoch } = peer;
    const ours = current?.generation === proof.generation;
    if (ours && acceptedAnother(current.accepted, epoch, proof.t)) {
      this.emit({ type: "clone-detected", clientId, epoch, stored: current.epoch });
    }
    // A TERMINATE is not answered.
    if (first.terminate !== null) return this.end({ kind: "lost" });
    return this.terminateWith(reasonOfLoss(current, proof.generation), iv);
  }

  #deliver(received: Received): ServerState {
    const { message, kind } = this.open(received);
    this.emit({ type: "deliver", round: received.header.round, message, kind });
    return "answering";
  }
}
