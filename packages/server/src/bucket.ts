import type { Clock } from "@pawl/protocol/driver";

interface Bucket {
  tokens: number;
  at: number;
}

/** Addresses that are remembered; of more, those that were seen longest ago are forgotten, and have a full bucket again. */
const MAX_BUCKETS = 10_000;

/** A token bucket of handshakes for each address. */
export class HandshakeBuckets {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  /** In the order in which they were used last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Whether a handshake may go on; takes its tokens. A debt is possible: work that was done is paid for afterwards. */
  take(key: string, tokens = 1): boolean {
    const bucket = this.#refilled(key);
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= tokens;
    return allowed;
  }

  /** Takes tokens for work that turned out to be more than one handshake's. */
  charge(key: string, tokens: number): void {
    this.#refilled(key).tokens -= tokens;
  }

  get size(): number {
    return this.#buckets.size;
  }

  #refilled(key: string): Bucket {
    const now = this.#clock.elapsed();
    const known = this.#buckets.get(key);
    const bucket = known ?? { tokens: this.#burst, at: now };
    const refill = (Math.max(0, now - bucket.at) / 1000) * this.#perSecond;
    bucket.tokens = Math.min(this.#burst, bucket.tokens + refill);
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_BUCKETS) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return bucket;
  }
}
