import type { ClientId } from "@pawl/protocol";
import { type Clock, systemClock } from "@pawl/protocol/driver";
import { type Aggregate, aggregateOf } from "./aggregate.ts";
import { isOlder, type RoundSession } from "./backend.ts";
import type { Decimal } from "./decimal.ts";
import type { ReducerName } from "./reducers.ts";

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

interface Entry<To> {
  readonly value: Decimal | null;
  /** Null once its session has ended. */
  to: To | null;
}

/** An answer that a closed round owes. */
export interface Owed<To> {
  /** What was contributed; null: a cover. */
  readonly value: Decimal | null;
  readonly to: To;
}

interface OpenRound<To> {
  readonly number: number;
  readonly openedAt: number;
  /** What counts: one value a client, that of its latest session. */
  readonly values: Map<ClientId, { readonly session: RoundSession; readonly value: Decimal }>;
  /** Who has sent, and is to be answered. */
  readonly entries: Map<RoundSession, Entry<To>>;
  /** How many of the live sessions have sent: looking each time would cost a fleet the square of its size. */
  sent: number;
  cancel: () => void;
}

/**
 * Section 5.3: when a round opens and closes, and what counts in it. Knows no messages and no sockets.
 * `To`: whom an answer goes to, whatever that is.
 */
export class Rounds<To> {
  readonly #policy: RoundsPolicy;
  readonly #deadlineMs: number;
  readonly #reducers: readonly ReducerName[];
  readonly #clock: Clock;
  readonly #onClosed: (round: ClosedRound, owed: readonly Owed<To>[]) => void;
  readonly #defer: (callback: () => void) => void;
  readonly #live = new Set<RoundSession>();
  #last = 0;
  #open: OpenRound<To> | null = null;

  constructor(
    options: RoundsOptions & {
      readonly clock?: Clock;
      readonly onClosed: (round: ClosedRound, owed: readonly Owed<To>[]) => void;
      /** Runs a callback at the end of this turn of the event loop. */
      readonly defer?: (callback: () => void) => void;
    },
  ) {
    this.#policy = options.policy ?? "barrier";
    this.#deadlineMs = options.deadlineMs ?? 1_000;
    this.#reducers = options.aggregates ?? [];
    this.#clock = options.clock ?? systemClock;
    this.#onClosed = options.onClosed;
    this.#defer = options.defer ?? setImmediate;
  }

  /** The round that takes contributions, null between rounds. */
  get open(): { readonly round: number; readonly contributors: number; readonly waitingFor: number } | null {
    if (this.#open === null) return null;
    const { number, values, sent } = this.#open;
    return { round: number, contributors: values.size, waitingFor: this.#live.size - sent };
  }

  /** A session became live: rounds wait for it from now on. Comes before the end of the one that it supersedes. */
  join(session: RoundSession): void {
    this.#live.add(session);
  }

  /**
   * One DATA of a live session.
   * @param value null for a cover
   * @param to whom the round owes an answer for it, unless the session leaves before
   */
  contribute(session: RoundSession, value: Decimal | null, to: To): void {
    this.#open ??= this.#openRound();
    const round = this.#open;
    const { clientId } = session;
    const before = round.values.get(clientId);
    // Its client has a newer session, which has taken part already. Nobody waits for an answer to this one.
    if (before !== undefined && isOlder(session, before.session)) return;
    // One of the client's new session replaces the unanswered one of its old; a cover replaces nothing.
    if (value !== null) round.values.set(clientId, { session, value });
    if (this.#live.has(session) && !round.entries.has(session)) round.sent++;
    round.entries.set(session, { value, to });
    this.#closeIfComplete();
  }

  /** A session ended, in whatever way: no round waits for it, and what it contributed counts. */
  leave(session: RoundSession): void {
    const wasLive = this.#live.delete(session);
    const round = this.#open;
    const entry = round?.entries.get(session);
    if (entry !== undefined) entry.to = null;
    if (round !== null && entry !== undefined && wasLive) round.sent--;
    this.#closeIfComplete();
  }

  /** Closes the open round now. */
  close(): void {
    this.#close("shutdown");
  }

  #openRound(): OpenRound<To> {
    const round: OpenRound<To> = {
      number: ++this.#last,
      openedAt: this.#clock.elapsed(),
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
    const durationMs = this.#clock.elapsed() - round.openedAt;
    const owed = entries.filter((entry): entry is Owed<To> => entry.to !== null);
    this.#onClosed({ ...aggregate, covers, durationMs, closedBy }, owed);
  }
}
