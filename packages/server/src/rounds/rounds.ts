import type { ClientId, Kind } from "@pawl/protocol";
import { type Clock, systemClock } from "@pawl/protocol/driver";
import { type Aggregate, AggregateWriter, aggregateOf } from "./aggregate.ts";
import type { Decimal } from "./decimal.ts";
import type { ReducerName } from "./reducers.ts";
import { messageValue } from "./value.ts";

export interface RoundsOptions {
  /**
   * `barrier` (default): a round closes when every live session has sent one DATA, or at its deadline.
   * `eager`: nobody waits for anybody; a round takes what has arrived in one turn of the event loop.
   */
  readonly policy?: RoundsPolicy;
  /** From the round's first DATA, in milliseconds; 1,000 unless given. */
  readonly deadlineMs?: number;
  /** Reductions to report; the product is always there. */
  readonly aggregates?: readonly ReducerName[];
}

export type RoundsPolicy = "barrier" | "eager";

/** A round that has closed. */
export interface ClosedRound extends Aggregate {
  /** Clients that were answered without having contributed. */
  readonly covers: number;
  /** From its first DATA, in milliseconds. */
  readonly durationMs: number;
  /** What closed it. */
  readonly closedBy: "complete" | "deadline" | "shutdown";
}

/** Any object: who is the same session is the same object. */
type Session = object;
type Answer = (message: Uint8Array) => void;

interface Entry {
  readonly clientId: ClientId;
  /** Null for a cover. */
  readonly value: Decimal | null;
  /** Null once its session has ended. */
  answer: Answer | null;
}

interface OpenRound {
  readonly number: number;
  readonly openedAt: number;
  /** What counts: one value a client, that of its latest session. */
  readonly values: Map<ClientId, { readonly session: Session; readonly value: Decimal }>;
  /** Who has sent, and is to be answered. */
  readonly entries: Map<Session, Entry>;
  /** How many of the live sessions have sent: looking each time would cost a fleet the square of its size. */
  sent: number;
  cancel: () => void;
}

/** Section 5: the rounds of a server. Knows sessions and messages, no sockets. */
export class Rounds {
  readonly #policy: RoundsPolicy;
  readonly #deadlineMs: number;
  readonly #reducers: readonly ReducerName[];
  readonly #maxMessage: number;
  readonly #clock: Clock;
  readonly #onRound: (round: ClosedRound) => void;
  readonly #defer: (callback: () => void) => void;
  readonly #live = new Set<Session>();
  #last = 0;
  #open: OpenRound | null = null;

  constructor(
    options: RoundsOptions & {
      readonly maxMessage: number;
      readonly clock?: Clock;
      readonly onRound?: (round: ClosedRound) => void;
      /** Runs a callback at the end of this turn of the event loop. */
      readonly defer?: (callback: () => void) => void;
    },
  ) {
    this.#policy = options.policy ?? "barrier";
    this.#deadlineMs = options.deadlineMs ?? 1_000;
    this.#reducers = options.aggregates ?? [];
    this.#maxMessage = options.maxMessage;
    this.#clock = options.clock ?? systemClock;
    this.#onRound = options.onRound ?? (() => {});
    this.#defer = options.defer ?? setImmediate;
  }

  /** The round that takes contributions, null between rounds. */
  get open(): { readonly round: number; readonly contributors: number; readonly waitingFor: number } | null {
    if (this.#open === null) return null;
    const { number, values, sent } = this.#open;
    return { round: number, contributors: values.size, waitingFor: this.#live.size - sent };
  }

  /** A session became live: rounds wait for it from now on. Comes before the end of the one that it supersedes. */
  join(session: Session): void {
    this.#live.add(session);
  }

  /** One DATA of a live session. `answer` is called once, with the AGGREGATE's message, unless the session leaves before. */
  contribute(session: Session, clientId: ClientId, message: Uint8Array, kind: Kind, answer: Answer): void {
    this.#open ??= this.#openRound();
    const round = this.#open;
    const value = kind === "cover" ? null : messageValue(message);
    // One of the client's new session replaces the unanswered one of its old; a cover replaces nothing.
    if (value !== null) round.values.set(clientId, { session, value });
    if (this.#live.has(session) && !round.entries.has(session)) round.sent++;
    round.entries.set(session, { clientId, value, answer });
    this.#closeIfComplete();
  }

  /** A session ended, in whatever way: no round waits for it, and what it contributed counts. */
  leave(session: Session): void {
    const wasLive = this.#live.delete(session);
    const round = this.#open;
    const entry = round?.entries.get(session);
    if (entry !== undefined) entry.answer = null;
    if (round !== null && entry !== undefined && wasLive) round.sent--;
    this.#closeIfComplete();
  }

  /** Closes the open round now. */
  close(): void {
    this.#close("shutdown");
  }

  #openRound(): OpenRound {
    const round: OpenRound = {
      number: ++this.#last,
      openedAt: this.#clock.now(),
      values: new Map(),
      entries: new Map(),
      sent: 0,
      cancel: () => {},
    };
    if (this.#policy === "barrier") {
      round.cancel = this.#clock.after(this.#deadlineMs, () => this.#close("deadline"));
    } else {
      this.#defer(() => {
        if (this.#open === round) this.#close("complete");
      });
    }
    return round;
  }

  #closeIfComplete(): void {
    if (this.#open === null || this.#policy !== "barrier") return;
    if (this.#open.sent === this.#live.size) this.#close("complete");
  }

  #close(closedBy: ClosedRound["closedBy"]): void {
    const round = this.#open;
    if (round === null) return;
    this.#open = null;
    round.cancel();
    const values = [...round.values.values()].map(({ value }) => value);
    const aggregate = aggregateOf(round.number, values, this.#reducers);
    const entries = [...round.entries.values()];
    const covers = entries.filter(({ value }) => value === null).length;
    const durationMs = this.#clock.now() - round.openedAt;
    // Told first: a crash in between may leave a client without its answer, never a client that knows more than the log.
    this.#onRound({ ...aggregate, covers, durationMs, closedBy });
    const writer = new AggregateWriter(aggregate, this.#maxMessage);
    for (const { value, answer } of entries) answer?.(writer.write(value));
  }
}
