import type { ClientId, Epoch, Round } from "./bytes.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import type { EndCause, EndEffect, SendEffect } from "./effects.ts";
import {
  DesyncError,
  DirectionError,
  EpochError,
  FormatError,
  IdentityError,
  IllegalTransitionError,
  MessageTooLargeError,
  ProtocolError,
  SuiteError,
  TruncationError,
  UnexpectedOpcodeError,
} from "./errors.ts";
import type { FrameErrorEvent, PacketEvent, TerminateEvent } from "./events.ts";
import { LAST_ROUND } from "./limits.ts";
import { type Content, NO_PADDING, type PaddingPolicy } from "./padding.ts";
import { reasonFromCode, TERMINATE_REASONS, type TerminateReason } from "./reasons.ts";
import type { RecordOpener, RecordSealer } from "./record.ts";
import type { Suite } from "./suites.ts";
import type { CommonHandler, Move, StateRow, Table } from "./transitions.ts";
import { type Direction, decodeHeader, type Header, type Opcode } from "./wire.ts";

/** A packet whose header passed checks 2 to 4 of section 1. */
export interface Received {
  readonly header: Header;
  readonly packet: Uint8Array;
}

/** Whose packets a session takes after the handshake: section 1, checks 5 and 6. */
export interface Peer {
  readonly suite: Suite;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
}

type AnyEvent = { readonly type: string } & (
  | PacketEvent
  | FrameErrorEvent
  | TerminateEvent
  | { readonly type: string }
);

/**
 * What both roles share: the walk through the table of transitions, the order of checks of section 1, the counts of the
 * two directions, TERMINATE, and the end. `handle` takes one event and gives effects; it draws no randomness, reads no
 * clock and calls nobody back.
 */
export abstract class Session<
  State extends string,
  Event extends { readonly type: string },
  Effect extends { readonly type: string },
  Handler extends string,
> {
  protected readonly crypto: CryptoProvider;
  protected readonly padding: PaddingPolicy;
  protected peer: Peer | null = null;
  protected sealer: RecordSealer | null = null;
  protected opener: RecordOpener | null = null;
  /** The next round of the direction that this side sends, and of the one that it receives (section 2). */
  protected tx = 1;
  protected rx = 1;

  readonly #table: Table<State, string, Handler>;
  readonly #receives: Direction;
  readonly #suites: readonly Suite[];
  readonly #terminatedState: State;
  readonly #endedState: State;
  #state: State;
  /** That of `#state`: looked up when it changes, read several times a packet. */
  #row: StateRow<State, string, Handler>;
  #effects: (Effect | SendEffect | EndEffect)[] = [];

  protected constructor(options: {
    crypto: CryptoProvider;
    padding: PaddingPolicy | undefined;
    table: Table<State, string, Handler>;
    receives: Direction;
    suites: readonly Suite[];
    states: { start: State; terminated: State; ended: State };
  }) {
    this.crypto = options.crypto;
    this.padding = options.padding ?? NO_PADDING;
    this.#table = options.table;
    this.#receives = options.receives;
    this.#suites = options.suites;
    this.#state = options.states.start;
    this.#row = options.table[options.states.start];
    this.#terminatedState = options.states.terminated;
    this.#endedState = options.states.ended;
  }

  get state(): State {
    return this.#state;
  }

  /** A look-up, derivation or commit is pending: take nothing but its answer, or `abort`. */
  get awaiting(): boolean {
    return this.#row.awaits;
  }

  /** The effect `end` has been given out. */
  get ended(): boolean {
    return this.#state === this.#endedState || this.#state === this.#terminatedState;
  }

  /** The longest packet that may come now, in bytes: what `FrameReader.next` checks the length against. */
  abstract get frameLimit(): number;

  /**
   * Takes one event, gives the effects that follow, in order. A violation by the peer comes out as `end`.
   * @throws IllegalTransitionError, MessageTooLargeError for a call that is not legal now; nothing has changed then
   */
  handle(event: Event): readonly (Effect | SendEffect | EndEffect)[] {
    try {
      this.#step(event as AnyEvent);
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        this.#effects = [];
        throw error;
      }
      this.end({ kind: "violation", error });
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Runs the handler; returns the state it leads to. */
  protected abstract run(handler: Handler, event: AnyEvent, received: Received | null): State;

  /** Whether any end of the stream is proper now: in classic, and before HELLO (section 2). */
  protected abstract get endsCleanly(): boolean;

  /** Overwrites every key that the role holds beside the two directions. */
  protected abstract wipeSecrets(): void;

  protected emit(effect: Effect | SendEffect): void {
    this.#effects.push(effect);
  }

  /** Ends the session: keys are overwritten, `end` is the last effect. */
  protected end(cause: EndCause, state: State = this.#endedState): State {
    this.sealer?.wipe();
    this.opener?.wipe();
    this.sealer = null;
    this.opener = null;
    this.wipeSecrets();
    this.#effects.push({ type: "end", cause });
    this.#moveTo(state);
    return state;
  }

  /** Seals the next packet of this side's direction. @throws MessageTooLargeError */
  protected seal(
    opcode: Opcode,
    content: Content,
    limit: number,
    iv: Uint8Array,
    padding: PaddingPolicy = this.padding,
  ): void {
    const { peer, sealer } = this;
    if (peer === null || sealer === null) throw new IllegalTransitionError("no keys to seal with");
    if (content.message.length > limit) throw new MessageTooLargeError(content.message.length, limit);
    const handshake = isHandshake(opcode);
    // Named one by one: a spread would cost more than the MAC.
    const header: Header = {
      suite: peer.suite,
      clientId: peer.clientId,
      epoch: peer.epoch,
      opcode,
      direction: this.#receives === "s2c" ? "c2s" : "s2c",
      round: (handshake ? 0 : this.tx) as Round,
    };
    this.emit({ type: "send", frame: sealer.seal(header, content, padding, limit, iv) });
    if (!handshake) this.tx++;
  }

  /** Checks 5 to 7 of section 1: a packet of this session, with the next round of its direction. @throws ProtocolError */
  protected checkDue({ header }: Received): void {
    const { peer } = this;
    if (peer === null) throw new IllegalTransitionError("no session to check against");
    if (header.clientId !== peer.clientId) throw new IdentityError("a packet of another client");
    if (header.suite !== peer.suite) throw new SuiteError("a packet of another suite");
    if (header.epoch !== peer.epoch)
      throw new EpochError(`epoch ${header.epoch}, where ${peer.epoch} is due`);
    const due = isHandshake(header.opcode) ? 0 : this.rx;
    const last = header.opcode === "TERMINATE" ? LAST_ROUND + 1 : LAST_ROUND;
    if (header.round !== due || due > last)
      throw new DesyncError(`round ${header.round}, where ${due} is due`);
  }

  /** Checks 5 to 9 of section 1, and moves the count. @throws ProtocolError */
  protected open(received: Received): Content {
    this.checkDue(received);
    if (this.opener === null) throw new IllegalTransitionError("no keys to open with");
    const content = this.opener.open(received.header, received.packet);
    if (!isHandshake(received.header.opcode)) this.rx++;
    return content;
  }

  /** The handlers that do the same for both roles. */
  protected runCommon(handler: CommonHandler, event: unknown, received: Received | null): State {
    switch (handler) {
      case "peerTerminates": {
        const reason = this.reasonOf(this.open(received as Received));
        return this.end({ kind: "terminated", by: "peer", reason });
      }
      case "terminate": {
        const { reason, iv } = event as TerminateEvent;
        return this.terminateWith(reason, iv);
      }
      case "frameError":
        throw (event as FrameErrorEvent).error;
      case "endOfStream":
        if (!this.endsCleanly) throw new TruncationError("the stream ended without TERMINATE");
        return this.end({ kind: "end-of-stream" });
      case "abort":
        return this.end({ kind: "aborted" });
      case "ignore":
        return this.state;
      default:
        return handler satisfies never;
    }
  }

  /** The reason in a TERMINATE. @throws FormatError */
  protected reasonOf(content: Content): TerminateReason {
    const code = content.message[0];
    if (code === undefined || content.message.length !== 1)
      throw new FormatError("TERMINATE carries one byte");
    return reasonFromCode(code);
  }

  /** Sends TERMINATE, and takes any end of the stream as clean from here on. Classic just ends. */
  protected terminateWith(reason: TerminateReason, iv: Uint8Array): State {
    if (this.peer?.suite.strict !== true) return this.end({ kind: "aborted" });
    const content: Content = { message: Uint8Array.of(TERMINATE_REASONS[reason]), kind: "message" };
    this.seal("TERMINATE", content, 1, iv);
    return this.end({ kind: "terminated", by: "local", reason }, this.#terminatedState);
  }

  #step(event: AnyEvent): void {
    const row = this.#row;
    let received: Received | null = null;
    let move: Move<State, Handler> | undefined = row.on[event.type];
    if (move === undefined && event.type === "packet" && !row.awaits) {
      received = this.#receive((event as PacketEvent).packet);
      move = row.on[received.header.opcode];
      if (move === undefined || (move.strictOnly && !this.#isStrict(received))) {
        throw new UnexpectedOpcodeError(`${received.header.opcode} in state ${this.#state}`);
      }
    }
    if (move === undefined) {
      throw new IllegalTransitionError(`${event.type} is not legal in state ${this.#state}`);
    }
    const next = this.run(move.handler, event, received);
    if (next !== this.#endedState && !move.next.includes(next)) {
      throw new IllegalTransitionError(
        `the table has no move from ${this.#state} by ${event.type} to ${next}`,
      );
    }
    this.#moveTo(next);
  }

  #moveTo(state: State): void {
    this.#state = state;
    this.#row = this.#table[state];
  }

  /** Checks 2 and 3. Check 4 is the table's. */
  #receive(packet: Uint8Array): Received {
    const header = decodeHeader(packet, this.#suites);
    if (header.direction !== this.#receives)
      throw new DirectionError("a packet of this side's own direction");
    return { header, packet };
  }

  #isStrict(received: Received): boolean {
    return (this.peer?.suite ?? received.header.suite).strict;
  }
}

function isHandshake(opcode: Opcode): boolean {
  return opcode === "HELLO" || opcode === "CHALLENGE";
}
