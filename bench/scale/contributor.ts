import { WrongAnswerError } from "@pawl/bench";
import type { PawlConnection } from "@pawl/client";

/** What all answers of a round have to agree on. */
export interface RoundSoFar {
  /** Null before the first answer. */
  number: number | null;
}

/** One client in rounds of all. It checks each answer, so that a server that forgets somebody cannot look fast. */
export class Contributor {
  readonly #connection: PawlConnection;
  readonly #index: number;
  readonly #clients: number;
  readonly #product: string;
  #first: Promise<number>;
  #last = 0;

  /** Sends a first number, which makes it live. @param index 0 … `clients` − 1 */
  constructor(connection: PawlConnection, index: number, clients: number) {
    this.#connection = connection;
    this.#index = index;
    this.#clients = clients;
    this.#product = productOfAll(clients);
    this.#first = connection.send(ONE).then(({ contributors }) => contributors);
    // Whoever gathers them is told; nobody looks before.
    this.#first.catch(() => {});
  }

  /** Those who came first had their answer when there were few: they send again, until a round was of all. */
  async untilAllAreThere(): Promise<void> {
    for (let there = await this.#first; there !== this.#clients; ) {
      const { contributors, round } = await this.#connection.send(ONE);
      there = contributors;
      this.#last = round;
    }
  }

  leave(): Promise<void> {
    return this.#connection.close();
  }

  /** @param turn another each round. @throws WrongAnswerError where it is not the answer of a new round of all clients */
  async contribute(turn: number, round: RoundSoFar): Promise<void> {
    const value = numberOf((this.#index + turn) % this.#clients);
    const answer = await this.#connection.send(value);
    round.number ??= answer.round;
    const right =
      answer.round === round.number &&
      answer.round > this.#last &&
      answer.contributors === this.#clients &&
      answer.value === value &&
      answer.aggregate === this.#product;
    if (!right) throw new WrongAnswerError();
    this.#last = answer.round;
  }
}

const ONE = "1";

/**
 * So few send something else than 1 in a round, in turn: the product of 10,000 other numbers would have tens of thousands of
 * digits, which every client would be sent.
 */
const PRIMES = ["101", "103", "107", "109", "113", "127", "131", "137"] as const;

function numberOf(seat: number): string {
  return PRIMES[seat] ?? ONE;
}

/** Has who sent a prime, and how often, in it. */
function productOfAll(clients: number): string {
  return PRIMES.slice(0, clients)
    .reduce((product, prime) => product * BigInt(prime), 1n)
    .toString();
}
