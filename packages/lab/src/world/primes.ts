/**
 * Primes in order. Each client of the lab's world sends a prime of its own, so the factors of an aggregate tell, from
 * outside, who counted in its round and how often.
 */
export class Primes {
  readonly #found: number[] = [];

  next(): number {
    let candidate = (this.#found.at(-1) ?? 1) + 1;
    while (!this.#isPrime(candidate)) candidate++;
    this.#found.push(candidate);
    return candidate;
  }

  #isPrime(candidate: number): boolean {
    for (const prime of this.#found) {
      if (prime * prime > candidate) return true;
      if (candidate % prime === 0) return false;
    }
    return true;
  }
}
