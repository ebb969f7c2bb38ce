import type { Clock } from "@pawl/protocol/driver";
import type { EventBus } from "./events.ts";
import { messageOf } from "./keys/message-of.ts";

/** How often a store that takes no commits is asked whether it does again, in milliseconds. */
const PROBE_EVERY_MS = 1_000;

/**
 * Whether the key store takes commits. While it does not, no HELLO is answered: its client would move, durably, to an epoch
 * at which its first packet cannot be accepted.
 *
 * A commit that fails is enough, since only who holds a key can cause one. Anybody can cause a look-up or an alarm, and one
 * record may be unreadable: after one that fails it is the probe that decides. A store that works is never probed otherwise.
 */
export class StoreHealth {
  readonly #probe: () => Promise<void>;
  readonly #clock: Clock;
  readonly #events: Pick<EventBus, "emit">;
  /** Null: available. */
  #unavailableSince: number | null = null;
  /** So that a probe that was under way before a commit failed does not count as a success after it. */
  #failedCommits = 0;
  #probing = false;
  #lastProbe = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;
  #stopped = false;

  constructor(probe: () => Promise<void>, clock: Clock, events: Pick<EventBus, "emit">) {
    this.#probe = probe;
    this.#clock = clock;
    this.#events = events;
  }

  get available(): boolean {
    return this.#unavailableSince === null;
  }

  commitFailed(error: unknown): void {
    this.#failedCommits++;
    this.#enter(error);
    void this.#check();
  }

  /** Something failed that anybody can cause. */
  suspect(): void {
    if (this.#clock.elapsed() - this.#lastProbe >= PROBE_EVERY_MS) void this.#check();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  /** One probe at a time, and none while the next one has its time. Never rejects. */
  async #check(): Promise<void> {
    if (this.#stopped || this.#probing || this.#cancel !== null) return;
    this.#probing = true;
    this.#lastProbe = this.#clock.elapsed();
    const failedBefore = this.#failedCommits;
    let works = false;
    try {
      await this.#probe();
      works = failedBefore === this.#failedCommits;
    } catch (error) {
      this.#enter(error);
    }
    this.#probing = false;
    if (this.#stopped) return;
    if (works) this.#leave();
    else {
      this.#cancel = this.#clock.after(PROBE_EVERY_MS, () => {
        this.#cancel = null;
        void this.#check();
      });
    }
  }

  #enter(error: unknown): void {
    if (this.#stopped || this.#unavailableSince !== null) return;
    this.#unavailableSince = this.#clock.elapsed();
    this.#events.emit({ type: "store-unavailable", message: messageOf(error) });
  }

  #leave(): void {
    if (this.#unavailableSince === null) return;
    const downMs = this.#clock.elapsed() - this.#unavailableSince;
    this.#unavailableSince = null;
    this.#events.emit({ type: "store-available", downMs });
  }
}
