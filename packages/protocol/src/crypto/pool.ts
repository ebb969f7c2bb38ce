import { keepFromThreads } from "./shared-memory.ts";

const PIECE_BYTES = 16 * 1024;
/** So that its length tells a large piece from one that others have a part of. */
const LEAST_LARGE = PIECE_BYTES + 1;

/**
 * Gives out memory that nobody else has, cut from larger pieces: an array of its own for each packet would cost more than
 * sealing it. What is given out is kept alive by its neighbours, so large requests have memory of their own, which can be
 * given back: to set it aside for each packet makes V8 collect garbage all the time. What is not written may hold anything.
 */
export class Pool {
  /** Where what was reserved last lies. */
  room: Buffer = Buffer.alloc(0);
  #piece = this.room;
  #used = 0;
  /** A large piece that was given back. */
  #spare: Buffer | null = null;

  /** @returns where in `room` the next `length` bytes begin */
  reserve(length: number): number {
    if (length > PIECE_BYTES / 4) {
      this.room = this.#large(length);
      return 0;
    }
    if (this.#used + length > this.#piece.length) this.#begin();
    this.room = this.#piece;
    const at = this.#used;
    this.#used += length;
    return at;
  }

  /** Nobody reads `bytes`, which this pool gave out, any more. Where they are large, they are given out again. */
  giveBack(bytes: Uint8Array): void {
    if (bytes.buffer.byteLength >= LEAST_LARGE) this.#spare = Buffer.from(bytes.buffer);
  }

  #large(length: number): Buffer {
    const spare = this.#spare;
    // One that is far too long would be kept in memory for little.
    if (spare === null || spare.length < length || spare.length > 4 * Math.max(length, LEAST_LARGE))
      return Buffer.allocUnsafeSlow(Math.max(length, LEAST_LARGE));
    this.#spare = null;
    return spare;
  }

  #begin(): void {
    this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    this.#used = 0;
    keepFromThreads(this.#piece);
  }
}
