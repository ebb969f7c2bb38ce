const FIRST = 49_152;
const LAST = 65_535;

/** Ports that tell connections between the same two addresses apart. */
export class Ports {
  readonly #used = new Set<number>();
  #next = FIRST;

  /** The port that is wanted, where it is free; else another. When those have all been used they begin anew. */
  take(wanted: number = this.#next): number {
    let port = wanted;
    for (let tries = FIRST; this.#used.has(port) && tries <= LAST; tries++) {
      port = this.#next;
      this.#next = port === LAST ? FIRST : port + 1;
    }
    this.#used.add(port);
    return port;
  }
}
