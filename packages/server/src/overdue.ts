import type { ClientId } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import type { EventBus } from "./events.ts";
import { messageOf } from "./keys/message-of.ts";
import type { KeyStore } from "./keys/store.ts";

const EVERY_MS = 3_600_000;
/** Clients that are looked at before the event loop has its turn: sessions must not wait for the whole fleet. */
const SLICE = 256;

/**
 * Tells of clients whose epoch has not moved for too long, so that a key that is taken from them opens a long time; each
 * once, at the start or within an hour, and again only where it moved meanwhile. Classic has no epochs.
 */
export class OverdueWatch {
  readonly #keys: Pick<KeyStore, "list">;
  readonly #clock: Clock;
  readonly #events: EventBus;
  readonly #afterMs: number;
  /** Those that were told of, with the move that was their last then. */
  #told = new Map<ClientId, number>();
  #cancel: () => void = () => {};
  #walk: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(keys: Pick<KeyStore, "list">, clock: Clock, events: EventBus, afterMs: number) {
    this.#keys = keys;
    this.#clock = clock;
    this.#events = events;
    this.#afterMs = afterMs;
  }

  start(): void {
    this.#walk = this.#look().then(() => {
      if (!this.#stopped) this.#cancel = this.#clock.after(EVERY_MS, () => this.start());
    });
  }

  /** When it is over nothing more is read. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#walk;
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const overdue = new Map<ClientId, number>();
    let seen = 0;
    try {
      for await (const { clientId, suite, moved, revoked } of this.#keys.list()) {
        if (this.#stopped) return;
        if (++seen % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
        if (!suite.strict || revoked !== null || this.#clock.now() - moved < this.#afterMs) continue;
        overdue.set(clientId, moved);
        if (this.#told.get(clientId) !== moved)
          this.#events.emit({ type: "overdue", clientId, movedAt: moved });
      }
      this.#told = overdue;
    } catch (error) {
      // Those that were reached are not told of again, and the rest in an hour.
      for (const [clientId, moved] of overdue) this.#told.set(clientId, moved);
      const of = { connection: null, remoteAddress: null };
      this.#events.emit({ type: "store-error", operation: "list", message: messageOf(error), ...of });
    }
  }
}
