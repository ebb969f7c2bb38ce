import { Primes } from "./primes.ts";

/** What is known, from outside, of who counted: read off the factors of the aggregates that honest clients were told. */
export class Ledger {
  readonly #primes = new Primes();
  /** How often each prime has counted in all rounds so far. */
  readonly #counted = new Map<number, number>();
  readonly #rounds = new Map<number, string>();

  /** A prime that nobody else sends. */
  issue(): number {
    const prime = this.#primes.next();
    this.#counted.set(prime, 0);
    return prime;
  }

  /** In how many contributions it has been counted, in the rounds that honest clients were told of. */
  counted(prime: number): number {
    return this.#counted.get(prime) ?? 0;
  }

  /**
   * Enters the aggregate of a server's round; of one that is known, only compares.
   * @param present primes of those who were told it, each of which has to be in it once
   * @returns what is wrong with it
   */
  enter(round: number, aggregate: string, present: readonly number[]): string[] {
    const known = this.#rounds.get(round);
    if (known !== undefined) {
      return known === aggregate ? [] : [`round ${round} was told as ${known} and as ${aggregate}`];
    }
    this.#rounds.set(round, aggregate);
    const wrong: string[] = [];
    let rest: bigint;
    try {
      rest = BigInt(aggregate);
    } catch {
      return [`round ${round}: the product ${aggregate} is no integer`];
    }
    const take = (prime: number): number => {
      let times = 0;
      for (; rest !== 0n && rest % BigInt(prime) === 0n; times++) rest /= BigInt(prime);
      if (times > 0) this.#counted.set(prime, this.counted(prime) + times);
      return times;
    };
    for (const prime of present) {
      const times = take(prime);
      if (times !== 1) wrong.push(`round ${round}: the client of ${prime} counted ${times} times`);
    }
    if (rest !== 1n) {
      for (const prime of this.#counted.keys()) {
        if (present.includes(prime)) continue;
        if (take(prime) > 1) wrong.push(`round ${round}: the client of ${prime} counted more than once`);
        if (rest === 1n) break;
      }
    }
    if (rest !== 1n) wrong.push(`round ${round}: a factor ${rest} that nobody has sent`);
    return wrong;
  }
}
