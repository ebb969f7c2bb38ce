import {
  type CryptoProvider,
  type Epoch,
  EpochSecret,
  MAX_INLINE_DERIVATIONS,
  type ServerEffect,
} from "@pawl/protocol";

/** Derivations that may be under way at once, whoever asks. */
const MAX_CONCURRENT = 2;

/**
 * Section 4.5.2: long catch-ups, in slices with a turn of the event loop between them, a few at a time. Each result is
 * the caller's to overwrite; the secret that came in is overwritten here.
 */
export class Derivations {
  readonly #crypto: CryptoProvider;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto;
  }

  async run(effect: Extract<ServerEffect, { type: "derive" }>): Promise<Uint8Array> {
    if (this.#running >= MAX_CONCURRENT) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      return await this.#derive(effect);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #derive({
    suite,
    clientId,
    from,
    to,
    secret,
  }: Extract<ServerEffect, { type: "derive" }>): Promise<Uint8Array> {
    let at = new EpochSecret(this.#crypto, suite, clientId, from, secret);
    while (at.epoch < to) {
      const next = at.forward(Math.min(at.epoch + MAX_INLINE_DERIVATIONS, to) as Epoch);
      at.wipe();
      at = next;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    const derived = at.copy();
    at.wipe();
    return derived;
  }
}
