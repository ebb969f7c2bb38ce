import type { EventBus } from "@pawl/server";
import type { Arrivals } from "./commands.ts";

/**
 * Counts clients that become live: their first packet is verified, and the move to their next epoch is synced to the disk. The
 * first message of a client in rounds is answered much later, so nobody but the server can say when. It listens from the
 * start, since workers tell only what somebody listens for.
 */
export class ArrivalClock {
  #firstAt = 0;
  #lastAt = 0;
  #connected = false;
  #live = 0;
  #awaited: { readonly clients: number; readonly resolve: (arrivals: Arrivals) => void } | null = null;

  constructor(events: EventBus) {
    events.on("connection", () => {
      if (!this.#connected) this.#firstAt = performance.now();
      this.#connected = true;
    });
    events.on("session-live", () => {
      this.#lastAt = performance.now();
      this.#live++;
      this.#settle();
    });
  }

  /** Resolves when so many have come since the last time that it did. */
  expect(clients: number): Promise<Arrivals> {
    return new Promise((resolve) => {
      this.#awaited = { clients, resolve };
      this.#settle();
    });
  }

  #settle(): void {
    if (this.#awaited === null || this.#live < this.#awaited.clients) return;
    this.#awaited.resolve({ seconds: (this.#lastAt - this.#firstAt) / 1_000 });
    this.#awaited = null;
    this.#connected = false;
    this.#live = 0;
  }
}
