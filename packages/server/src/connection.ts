import type { Socket } from "node:net";
import {
  type EndCause,
  type Round,
  type ServerEffect,
  type ServerEvent,
  ServerSession,
  type TerminateReason,
} from "@pawl/protocol";
import { halfCloseAndDrain, PacketSource } from "@pawl/protocol/driver";
import { type Answer, type LiveSession, SessionHandle } from "./application.ts";
import type { Member } from "./commons.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { ConnectionHost } from "./host.ts";
import { messageOf } from "./keys/message-of.ts";
import { type AwaitingEffect, RecordAccess, wipeAnswer } from "./record-access.ts";
import { reportEnd } from "./report-end.ts";
import { SessionClock } from "./session-clock.ts";

function nothing(): void {}

/** The socket driver of one ServerSession: events in, effects carried out in order. */
export class Connection implements Member {
  readonly id: number;
  readonly remoteAddress: string;
  readonly limitKey: string;
  /** Only who is in another process knows it as a worker's. */
  readonly worker = null;
  readonly since: number;
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #session: ServerSession;
  readonly #records: RecordAccess;
  readonly #source: PacketSource;
  readonly #writer: FrameWriter;
  readonly #answer: Answer;
  /** What came while the session waited for a look-up, a derivation or a commit. */
  readonly #waiting: ServerEvent[] = [];
  #cancelDeadline: () => void = nothing;
  #sessionClock: SessionClock | null = null;
  #generation: bigint | null = null;
  #handle: LiveSession | null = null;
  #round = 0;
  /** The session is to be renewed as soon as no message of it is being answered. */
  #renewDue = false;
  #pumping = false;
  #done = false;

  constructor(host: ConnectionHost, socket: Socket, id: number, remoteAddress: string, limitKey: string) {
    const { options } = host;
    this.id = id;
    this.remoteAddress = remoteAddress;
    this.limitKey = limitKey;
    this.since = options.clock.now();
    this.#host = host;
    this.#socket = socket;
    const { crypto, suites, maxMessage, padding } = options;
    this.#session = new ServerSession({ crypto, suites, maxMessage, padding });
    this.#answer = ((message) => this.#answerWith(message)) as Answer;
    this.#answer.failed = (error) => this.#applicationFailed(error);
    this.#records = new RecordAccess(host, limitKey);
    this.#setDeadline(options.limits.helloDeadlineMs);
    socket.setNoDelay(true);
    this.#source = new PacketSource(socket, () => this.#pump());
    this.#writer = new FrameWriter(socket, options.clock, options.limits, options.crypto, (bytes) =>
      this.#cutSlowReader(bytes),
    );
  }

  get session(): ServerSession {
    return this.#session;
  }

  get live(): boolean {
    return this.#session.live;
  }

  get round(): Round {
    return this.#round as Round;
  }

  terminate(reason: TerminateReason): void {
    this.#take(this.#terminateEvent(reason));
  }

  epochMoved(): void {
    this.#take({ type: "epoch-moved" });
  }

  abort(): void {
    if (!this.#done) this.#step({ type: "abort" });
  }

  /** Keeps the event while the session waits for an answer. */
  #take(event: ServerEvent): void {
    if (this.#done) return;
    this.#waiting.push(event);
    this.#pump();
  }

  /** Gives the session what is there, as long as it takes it; then reads on, or not. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#done && !this.#session.awaiting) {
      const event = this.#waited() ?? this.#source.next(this.#session.frameLimit);
      if (event === null) break;
      // A client repeats what was outstanding when `renew` came, so nothing that counted may be.
      if (event.type === "terminate" && event.reason === "renew" && this.#session.answering)
        this.#renewDue = true;
      else this.#step(event);
    }
    this.#pumping = false;
    if (this.#done) return;
    this.#source.flow(!this.#session.awaiting);
    if (!this.#session.live) this.#host.commons.buffers(this, this.#source.buffered);
  }

  #waited(): ServerEvent | undefined {
    return this.#waiting.length === 0 ? undefined : this.#waiting.shift();
  }

  #step(event: ServerEvent): void {
    const phase = this.#session.state;
    try {
      for (const effect of this.#session.handle(event)) this.#carryOut(effect, phase);
    } catch (error) {
      // A mistake of this side (a record of the wrong shape, an answer that is too long): nobody may suffer but this
      // connection.
      this.#applicationFailed(error);
    }
  }

  #carryOut(effect: ServerEffect, phase: string): void {
    const { events } = this.#host;
    switch (effect.type) {
      case "send":
        this.#writer.write(effect.frame);
        return;
      case "look-up":
      case "derive":
      case "commit":
        void this.#awaitAnswer(effect);
        return;
      case "set-deadline":
        if (effect.deadline === "none") this.#endDeadline();
        else this.#greeted();
        return;
      case "live":
        this.#becameLive();
        return;
      case "deliver":
        this.#deliver(effect);
        return;
      case "stale-epoch":
        events.emit({ ...effect, ...this.#origin(), authenticated: false });
        return;
      case "clone-detected":
        events.emit({ ...effect, ...this.#origin(), authenticated: true });
        return;
      case "end":
        this.#finish(effect.cause, phase);
        return;
      default:
        effect satisfies never;
    }
  }

  /** What the session waits for; null: refused, and already said why. */
  async #awaitAnswer(effect: AwaitingEffect): Promise<void> {
    // Before CHALLENGE: a look-up is that of a HELLO.
    const greeting = this.#session.clientId === null;
    const answer = await this.#records.answer(effect, greeting, this.#origin());
    if (this.#done) {
      if (answer !== null) wipeAnswer(answer);
      return;
    }
    if (answer === null) {
      this.abort();
      return;
    }
    if (answer.type === "found") this.#generation ??= answer.record?.generation ?? null;
    this.#step(answer);
    this.#pump();
  }

  #greeted(): void {
    const { events, options, commons } = this.#host;
    this.#setDeadline(options.limits.firstPacketDeadlineMs);
    const { clientId, epoch, suite } = this.#session;
    if (clientId === null || epoch === null || suite === null) return;
    commons.greeted(this, { clientId, epoch, generation: this.#generation, gcm: suite.cipher === "gcm" });
    events.emit({ type: "handshake", ...this.#origin(), clientId, epoch, suite: suite.name });
  }

  #becameLive(): void {
    const { clientId, epoch, suite } = this.#session;
    if (clientId === null || epoch === null || suite === null) return;
    const handle = new SessionHandle(this, clientId, epoch, suite.name, this.#generation);
    this.#handle = handle;
    this.#host.events.emit({ type: "session-live", ...this.#origin(), clientId, epoch, suite: suite.name });
    // The application learns of the new session before the one that it supersedes ends.
    this.#host.application.live(handle);
    this.#host.commons.becameLive(this);
    const { clock, limits, rotation } = this.#host.options;
    const times = { idleMs: limits.idleMs, maxAgeMs: suite.strict ? rotation.maxSessionAgeMs : null };
    this.#sessionClock = new SessionClock(clock, times, {
      idle: () => this.terminate("idle"),
      old: () => this.terminate("renew"),
    });
  }

  #deliver({ round, message, kind }: Extract<ServerEffect, { type: "deliver" }>): void {
    const { events, application } = this.#host;
    const handle = this.#handle;
    if (handle === null) return;
    this.#round = round;
    this.#sessionClock?.touch();
    if (events.wants("message")) {
      const { clientId } = handle;
      const bytes = message.length;
      events.emit({ type: "message", ...this.#origin(), clientId, round, bytes, cover: kind === "cover" });
    }
    application.message(handle, message, kind, this.#answer);
  }

  #answerWith(message: Uint8Array): void {
    // The session may have ended while the application worked.
    if (this.#done || !this.#session.answering) return;
    if (this.#isLastRound()) this.#renewDue = true;
    const answer: ServerEvent = { type: "answer", message, iv: this.#host.options.random(16) };
    if (!this.#renewDue) this.#step(answer);
    else {
      // In one go, so that the client sees the end before it sends again, as far as that can be.
      this.#writer.together(() => {
        this.#step(answer);
        if (this.#session.state === "ready") this.#step(this.#terminateEvent("renew"));
      });
    }
    this.#pump();
  }

  #terminateEvent(reason: TerminateReason): ServerEvent {
    return { type: "terminate", reason, iv: this.#host.options.random(16) };
  }

  #isLastRound(): boolean {
    const { maxSessionRounds } = this.#host.options.rotation;
    return (
      maxSessionRounds !== null && this.#session.suite?.strict === true && this.#round >= maxSessionRounds
    );
  }

  #applicationFailed(error: unknown): void {
    if (this.#done) return;
    const clientId = this.#session.helloClient;
    if (clientId !== null) {
      const message = messageOf(error);
      this.#host.events.emit({ type: "application-error", ...this.#origin(), clientId, message });
    }
    if (this.#session.live && !this.#session.awaiting) this.terminate("done");
    else this.abort();
  }

  #cutSlowReader(queuedBytes: number): void {
    if (this.#done) return;
    const { clientId } = this.#session;
    this.#host.events.emit({ type: "slow-reader", ...this.#origin(), queuedBytes, clientId });
    this.abort();
  }

  /** What would cancel it is let go of: it would keep the timer in memory for as long as the session lives. */
  #endDeadline(): void {
    this.#cancelDeadline();
    this.#cancelDeadline = nothing;
  }

  #setDeadline(ms: number): void {
    this.#endDeadline();
    this.#cancelDeadline = this.#host.options.clock.after(ms, () => this.#take({ type: "deadline" }));
  }

  #origin(): { connection: number; remoteAddress: string } {
    return { connection: this.id, remoteAddress: this.remoteAddress };
  }

  #finish(cause: EndCause, phase: string): void {
    if (this.#done) return;
    this.#done = true;
    const inOrder = cause.kind === "terminated" || cause.kind === "end-of-stream";
    // First of all: what events, log and alarms take for one cause or another is nothing that the wire should tell.
    if (!inOrder) this.#socket.destroy();
    this.#endDeadline();
    this.#sessionClock?.stop();
    this.#writer.stop();
    this.#waiting.length = 0;
    this.#source.close();
    const { events, application } = this.#host;
    this.#host.ended(this);
    if (this.#handle !== null) application.ended(this.#handle);
    const { live, helloClient: clientId, helloEpoch: epoch } = this.#session;
    reportEnd(events, { ...this.#origin(), clientId, epoch, live }, cause, phase);
    if (inOrder) halfCloseAndDrain(this.#socket, this.#host.options.clock);
  }
}
