import type { StoreChange } from "./store.ts";

/** Who is told of changes. A listener that throws neither stops the others nor undoes the change. */
export class Watchers {
  readonly #listeners = new Set<{ readonly tell: (change: StoreChange) => void }>();

  get size(): number {
    return this.#listeners.size;
  }

  /** Returns what takes the listener off again; calling that twice is harmless. */
  add(listener: (change: StoreChange) => void): () => void {
    const entry = { tell: listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  tell(change: StoreChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener.tell(change);
      } catch (error) {
        // A listener's own mistake must be loud, but the change is stored already: its writer must not see it fail.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
