import type { RoundSession } from "./backend.ts";
import type { Decimal } from "./decimal.ts";
import { type DecimalText, generationOf, type RoundsReply, type RoundsRequest } from "./linked.ts";
import type { ClosedRound, Owed, Rounds } from "./rounds.ts";

/** The side of the rounds themselves of one server in another process (`LinkedRounds`). */
export class RoundsSeat {
  readonly #rounds: Rounds<RoundsSeat>;
  readonly #send: (reply: RoundsReply) => void;
  readonly #sessions = new Map<number, RoundSession>();
  #received = 0;

  constructor(rounds: Rounds<RoundsSeat>, send: (reply: RoundsReply) => void) {
    this.#rounds = rounds;
    this.#send = send;
  }

  receive(request: RoundsRequest): void {
    switch (request.type) {
      case "join": {
        const { session: id, clientId, epoch, generation } = request;
        const session = { id, clientId, epoch, generation: generationOf(generation) };
        this.#sessions.set(id, session);
        this.#rounds.join(session);
        return;
      }
      case "contribute": {
        this.#received++;
        const session = this.#sessions.get(request.session);
        if (session !== undefined) this.#rounds.contribute(session, decimalOf(request.value), this);
        return;
      }
      case "leave":
        this.expel(request.session);
        return;
      case "close-rounds":
        this.#rounds.close();
        this.#send({ type: "rounds-closed" });
        return;
      default:
        request satisfies never;
    }
  }

  /** No round waits for this session any more, and what it sends from now on does not count. What it sent does. */
  expel(id: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#rounds.leave(session);
  }

  /** A round has closed that owes this server answers. */
  closed({ round, product, also, contributors }: ClosedRound): void {
    const aggregate = { round, product, also, contributors };
    this.#send({ type: "round-closed", upTo: this.#received, aggregate });
  }
}

/** Tells each server once that a round has closed. */
export function tellSeats(round: ClosedRound, owed: readonly Owed<RoundsSeat>[]): void {
  for (const seat of new Set(owed.map(({ to }) => to))) seat.closed(round);
}

function decimalOf(text: DecimalText | null): Decimal | null {
  return text === null ? null : { coefficient: BigInt(text[0]), exponent: text[1] };
}
