import { type ClientId, type Epoch, MAX_GCM_HANDSHAKES } from "@pawl/protocol";

/** So many before the limit a server is near it. */
const MARGIN = 2 ** 20;
const SLOW_MS = 60_000;

/**
 * Section 4.3: suite 3 seals at most 2³² packets under one `challenge_e`; near that, one HELLO a minute is answered. A
 * replayed HELLO makes the server seal, so the count is the server's own. It starts anew with the process: at the rate
 * that the handshake limits allow an address, 2³² take more than a year.
 */
export class ChallengeBudget {
  readonly #limit: number;
  readonly #counts = new Map<ClientId, { epoch: Epoch; sealed: number; lastAt: number }>();

  constructor(limit = MAX_GCM_HANDSHAKES - MARGIN) {
    this.#limit = limit;
  }

  /** Whether a HELLO may be answered at `now` (milliseconds). */
  allows(clientId: ClientId, epoch: Epoch, now: number): boolean {
    const count = this.#counts.get(clientId);
    if (count === undefined || count.epoch !== epoch || count.sealed < this.#limit) return true;
    return now - count.lastAt >= SLOW_MS;
  }

  /** A CHALLENGE was sealed. */
  note(clientId: ClientId, epoch: Epoch, now: number): void {
    const count = this.#counts.get(clientId);
    if (count === undefined || count.epoch !== epoch) {
      this.#counts.set(clientId, { epoch, sealed: 1, lastAt: now });
      return;
    }
    count.sealed++;
    count.lastAt = now;
  }

  /** The epoch has moved: its keys are gone. */
  forget(clientId: ClientId): void {
    this.#counts.delete(clientId);
  }
}
