// biome-ignore lint/style/noRestrictedImports: it starts no thread, and keeps memory out of their hands.
import { markAsUntransferable } from "node:worker_threads";

const POOL_BYTES = 16 * 1024;

/**
 * Gives out memory that nobody has had before, cut from larger pieces: an array of its own for each packet would cost more
 * than sealing it. What is given out is kept alive by its neighbours, so large requests have memory of their own.
 */
export class Pool {
  #pool = new Uint8Array(0);
  #at = 0;

  take(length: number): Uint8Array {
    if (length > POOL_BYTES / 4) return new Uint8Array(length);
    if (this.#at + length > this.#pool.length) this.#begin();
    const start = this.#at;
    this.#at += length;
    return this.#pool.subarray(start, this.#at);
  }

  #begin(): void {
    this.#pool = new Uint8Array(POOL_BYTES);
    this.#at = 0;
    // Who handed one message to a thread would take those of others along, as with the pool of Node.js itself.
    markAsUntransferable(this.#pool.buffer);
  }
}
