import assert from "node:assert/strict";
import { type Clock, timersBy } from "@pawl/protocol/driver";

/** Timers that may fall due in one `advance`: far more than any test has. One that is set anew for at once never ends. */
const MOST_DUE = 10_000;

/** Time that a test moves. */
export class FakeClock implements Clock {
  #now = 0;
  /** By how much it was set, forward. */
  #set = 0;
  readonly #timers = new Set<{ at: number; callback: () => void }>();
  readonly timer = timersBy((ms, callback) => this.after(ms, callback));

  now(): number {
    return this.#now + this.#set;
  }

  elapsed(): number {
    return this.#now;
  }

  /** Somebody sets the machine's clock, forward or back. */
  set(byMs: number): void {
    this.#set += byMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass, and calls what falls due, in order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let called = 0; ; called++) {
      const due = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      assert(called < MOST_DUE, `${called} timers fell due within ${ms} ms, the last at ${this.#now}`);
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = until;
  }

  get pending(): number {
    return this.#timers.size;
  }
}
