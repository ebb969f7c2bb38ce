import type { Clock } from "@pawl/protocol/driver";

export interface SessionTimes {
  readonly idleMs: number;
  /** Null: as old as it gets. */
  readonly maxAgeMs: number | null;
}

/** Says when a live session has been silent for too long, and when it is old. */
export class SessionClock {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  readonly #cancelAge: () => void;
  #lastActive: number;
  #cancelIdle: () => void = () => {};

  constructor(clock: Clock, { idleMs, maxAgeMs }: SessionTimes, on: { idle: () => void; old: () => void }) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#onIdle = on.idle;
    this.#lastActive = clock.now();
    this.#armIdle(idleMs);
    this.#cancelAge = maxAgeMs === null ? () => {} : clock.after(maxAgeMs, on.old);
  }

  /** There was a message. */
  touch(): void {
    this.#lastActive = this.#clock.now();
  }

  stop(): void {
    this.#cancelIdle();
    this.#cancelAge();
  }

  /** One timer, armed anew when it finds that there was a message since. */
  #armIdle(ms: number): void {
    this.#cancelIdle = this.#clock.after(ms, () => {
      const left = this.#lastActive + this.#idleMs - this.#clock.now();
      if (left > 0) this.#armIdle(left);
      else this.#onIdle();
    });
  }
}
