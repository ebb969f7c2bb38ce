/** What a connection that is not live yet counts for. */
interface Counted {
  readonly key: string;
  bytes: number;
}

interface Tally {
  count: number;
  bytes: number;
}

export interface HalfOpenLimits {
  readonly halfOpenPerAddress: number;
  readonly halfOpen: number;
  readonly halfOpenBytesPerAddress: number;
  readonly halfOpenBytes: number;
}

/**
 * Half-open connections, bounded in number and in bytes, for an address and all together (section 2). Over a limit the
 * oldest is evicted; never one for its clientId, which would let a replayer lock its client out.
 */
export class HalfOpenTable<Connection extends object> {
  readonly #limits: HalfOpenLimits;
  readonly #evict: (connection: Connection, limit: "address" | "all") => void;
  /** In the order of accept. */
  readonly #connections = new Map<Connection, Counted>();
  readonly #byAddress = new Map<string, Tally>();
  readonly #all: Tally = { count: 0, bytes: 0 };

  constructor(limits: HalfOpenLimits, evict: (connection: Connection, limit: "address" | "all") => void) {
    this.#limits = limits;
    this.#evict = evict;
  }

  get count(): number {
    return this.#all.count;
  }

  get bytes(): number {
    return this.#all.bytes;
  }

  add(connection: Connection, key: string): void {
    this.#connections.set(connection, { key, bytes: 0 });
    const tally = this.#byAddress.get(key) ?? { count: 0, bytes: 0 };
    this.#byAddress.set(key, tally);
    tally.count++;
    this.#all.count++;
    this.#enforce(key);
  }

  /** How many bytes a connection has buffered now. */
  hold(connection: Connection, bytes: number): void {
    const counted = this.#connections.get(connection);
    if (counted === undefined || counted.bytes === bytes) return;
    this.#count(counted, bytes - counted.bytes);
    counted.bytes = bytes;
    this.#enforce(counted.key);
  }

  /** It became live, or ended. */
  remove(connection: Connection): void {
    const counted = this.#connections.get(connection);
    if (counted === undefined) return;
    this.#connections.delete(connection);
    this.#count(counted, -counted.bytes);
    this.#all.count--;
    const tally = this.#byAddress.get(counted.key);
    if (tally !== undefined && --tally.count === 0) this.#byAddress.delete(counted.key);
  }

  #count({ key }: Counted, bytes: number): void {
    this.#all.bytes += bytes;
    const tally = this.#byAddress.get(key);
    if (tally !== undefined) tally.bytes += bytes;
  }

  #enforce(key: string): void {
    const { halfOpenPerAddress, halfOpenBytesPerAddress, halfOpen, halfOpenBytes } = this.#limits;
    const tally = this.#byAddress.get(key);
    while (
      tally !== undefined &&
      (tally.count > halfOpenPerAddress || tally.bytes > halfOpenBytesPerAddress)
    ) {
      if (!this.#evictOldest("address", (counted) => counted.key === key)) return;
    }
    while (this.#all.count > halfOpen || this.#all.bytes > halfOpenBytes) {
      if (!this.#evictOldest("all", () => true)) return;
    }
  }

  #evictOldest(limit: "address" | "all", matches: (counted: Counted) => boolean): boolean {
    for (const [connection, counted] of this.#connections) {
      if (!matches(counted)) continue;
      this.remove(connection);
      this.#evict(connection, limit);
      return true;
    }
    return false;
  }
}
