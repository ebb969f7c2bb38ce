import type { Clock } from "@pawl/protocol/driver";

/** Ends a live session that has been silent for too long. One timer, armed anew when it finds a message since. */
export class SessionClock {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  #lastActive: number;
  #cancel: () => void = () => {};

  constructor(clock: Clock, idleMs: number, onIdle: () => void) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
    this.#lastActive = clock.now();
    this.#arm(idleMs);
  }

  /** There was a message. */
  touch(): void {
    this.#lastActive = this.#clock.now();
  }

  stop(): void {
    this.#cancel();
  }

  #arm(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      const left = this.#lastActive + this.#idleMs - this.#clock.now();
      if (left > 0) this.#arm(left);
      else this.#onIdle();
    });
  }
}
