// biome-ignore lint/style/noRestrictedImports: it starts no thread, and keeps memory out of their hands.
import { markAsUntransferable } from "node:worker_threads";

const PIECE_BYTES = 16 * 1024;

/**
 * Gives out memory that nobody has had before, cut from larger pieces: an array of its own for each packet would cost more
 * than sealing it. What is given out is kept alive by its neighbours, so large requests have memory of their own. What is
 * not written may hold anything.
 */
export class Pool {
  /** Where what was reserved last lies. */
  room: Buffer = Buffer.alloc(0);
  #piece = this.room;
  #used = 0;

  /** @returns where in `room` the next `length` bytes begin */
  reserve(length: number): number {
    if (length > PIECE_BYTES / 4) {
      this.room = Buffer.allocUnsafeSlow(length);
      return 0;
    }
    if (this.#used + length > this.#piece.length) this.#begin();
    this.room = this.#piece;
    const at = this.#used;
    this.#used += length;
    return at;
  }

  #begin(): void {
    this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    this.#used = 0;
    // Who handed one message to a thread would take those of others along, as with the pool of Node.js itself.
    markAsUntransferable(this.#piece.buffer);
  }
}
