import type { Clock } from "@pawl/protocol/driver";

export interface SessionTimes {
  readonly idleMs: number;
  /** Null: as old as it gets. */
  readonly maxAgeMs: number | null;
}

/** Says when a live session has been silent for too long, and when it is old, which it says once. */
export class SessionClock {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #on: { idle(): void; old(): void };
  #lastActive: number;
  /** When it is old. */
  #oldAt: number;
  #cancel: () => void;

  constructor(clock: Clock, { idleMs, maxAgeMs }: SessionTimes, on: { idle(): void; old(): void }) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#on = on;
    this.#lastActive = clock.elapsed();
    this.#oldAt = maxAgeMs === null ? Number.POSITIVE_INFINITY : this.#lastActive + maxAgeMs;
    this.#cancel = this.#arm(this.#lastActive);
  }

  /** There was a message. */
  touch(): void {
    this.#lastActive = this.#clock.elapsed();
  }

  stop(): void {
    this.#cancel();
  }

  /** One timer for both, armed anew when it finds that there was a message since: a session costs no more than that. */
  #arm(now: number): () => void {
    const due = Math.min(this.#lastActive + this.#idleMs, this.#oldAt);
    return this.#clock.after(due - now, () => this.#due());
  }

  #due(): void {
    const now = this.#clock.elapsed();
    const isOld = now >= this.#oldAt;
    const isIdle = now >= this.#lastActive + this.#idleMs;
    if (isOld) this.#oldAt = Number.POSITIVE_INFINITY;
    // First, so that who is told may stop it.
    if (!isIdle) this.#cancel = this.#arm(now);
    if (isIdle) this.#on.idle();
    else if (isOld) this.#on.old();
  }
}
