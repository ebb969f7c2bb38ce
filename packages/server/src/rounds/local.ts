import { AggregateWriter } from "./aggregate.ts";
import type { RoundAnswer, RoundSession, RoundsBackend, RoundsContext } from "./backend.ts";
import type { Decimal } from "./decimal.ts";
import { Rounds, type RoundsOptions } from "./rounds.ts";

/** Rounds of one process by itself. */
export class LocalRounds implements RoundsBackend {
  readonly #rounds: Rounds<RoundAnswer>;

  constructor(options: RoundsOptions & RoundsContext & { readonly defer?: (callback: () => void) => void }) {
    const { maxMessage, onRound } = options;
    this.#rounds = new Rounds({
      ...options,
      onClosed: (round, owed) => {
        // Told first: a crash in between may leave a client without its answer, never a client that knows more than the log.
        onRound(round);
        const writer = new AggregateWriter(round, maxMessage);
        for (const { value, to } of owed) to(writer.write(value));
      },
    });
  }

  /** The round that takes contributions, null between rounds. */
  get open(): { readonly round: number; readonly contributors: number; readonly waitingFor: number } | null {
    return this.#rounds.open;
  }

  join(session: RoundSession): void {
    this.#rounds.join(session);
  }

  contribute(session: RoundSession, value: Decimal | null, answer: RoundAnswer): void {
    this.#rounds.contribute(session, value, answer);
  }

  leave(session: RoundSession): void {
    this.#rounds.leave(session);
  }

  async close(): Promise<void> {
    this.#rounds.close();
  }
}
