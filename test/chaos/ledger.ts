/**
 * What was contributed, and what became of it. Each message is a prime number that is never used again, so the exact
 * product of a round says which messages it counted.
 */
export class Ledger {
  readonly #issued = new Map<bigint, Issued>();
  #last = 1_000n;

  /** A message that `client` may send once. */
  issue(client: number): string {
    do this.#last++;
    while (!isPrime(this.#last));
    this.#issued.set(this.#last, { client, acknowledged: null });
    return String(this.#last);
  }

  /** An AGGREGATE that reached `client`. Returns what is wrong with it. */
  acknowledge(client: number, server: number, answer: Answer): string[] {
    const { round, value, aggregate } = answer;
    const issued = value === null ? undefined : this.#issued.get(BigInt(value));
    if (issued?.client !== client) return [`client ${client} was answered for ${value}, which it never sent`];
    if (issued.acknowledged !== null) return [`client ${client} was answered twice for ${value}`];
    issued.acknowledged = { server, round, aggregate };
    return [];
  }

  /** @param rounds all that all servers said they closed */
  check(rounds: readonly CountedRound[]): string[] {
    const wrong: string[] = [];
    const countedIn = new Map<bigint, CountedRound>();
    for (const round of rounds) {
      const factors = this.#factors(round.aggregate);
      if (factors === null) {
        wrong.push(
          `${nameOf(round)} has the product ${round.aggregate}, which is none of messages that were sent`,
        );
        continue;
      }
      if (factors.length !== round.contributors)
        wrong.push(`${nameOf(round)} names ${round.contributors} contributors and has ${factors.length}`);
      for (const prime of factors) {
        const before = countedIn.get(prime);
        if (before !== undefined)
          wrong.push(`${prime} counted twice: in ${nameOf(before)} and ${nameOf(round)}`);
        countedIn.set(prime, round);
      }
    }
    for (const [prime, { acknowledged }] of this.#issued) {
      if (acknowledged === null) continue;
      const round = countedIn.get(prime);
      if (round === undefined) wrong.push(`${prime} was acknowledged and counts in no round`);
      else if (
        round.server !== acknowledged.server ||
        round.round !== acknowledged.round ||
        round.aggregate !== acknowledged.aggregate
      )
        wrong.push(`${prime} was acknowledged in ${nameOf(acknowledged)} and counts in ${nameOf(round)}`);
    }
    return wrong;
  }

  /** The messages of which `product` is made, one that is in it twice twice; null where it is made of anything else. */
  #factors(product: string): bigint[] | null {
    let rest = BigInt(product);
    const factors: bigint[] = [];
    for (const prime of this.#issued.keys()) {
      for (; rest % prime === 0n; rest /= prime) factors.push(prime);
    }
    return rest === 1n ? factors : null;
  }
}

/** What a client is told. */
export interface Answer {
  readonly round: number;
  readonly value: string | null;
  readonly aggregate: string | null;
}

/** What a server says that it counted. */
export interface CountedRound {
  /** Which of the servers of a run, from 1: each counts its rounds anew. */
  readonly server: number;
  readonly round: number;
  readonly aggregate: string;
  readonly contributors: number;
}

interface Issued {
  readonly client: number;
  acknowledged: (Pick<CountedRound, "server" | "round"> & { readonly aggregate: string | null }) | null;
}

function nameOf({ server, round }: Pick<CountedRound, "server" | "round">): string {
  return `round ${round} of server ${server}`;
}

function isPrime(candidate: bigint): boolean {
  for (let divisor = 2n; divisor * divisor <= candidate; divisor++)
    if (candidate % divisor === 0n) return false;
  return true;
}
