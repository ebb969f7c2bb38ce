import { wipe } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import { Keyring, MissingDbKeyError } from "../wrapping.ts";

/** Between two times that the db keys are asked for, in milliseconds: a row that was altered must not run a command each time. */
const RELOAD_PAUSE_MS = 1_000;

/** The db keys as they are now, for a reader that has those of yesterday. */
export class KeySource {
  readonly #reader: { useKeyring(keyring: Keyring): void };
  readonly #clock: Clock;
  readonly #dbKeys: () => Promise<readonly Uint8Array[]>;
  #reloading: Promise<void> | null = null;
  #reloadedAt = Number.NEGATIVE_INFINITY;

  constructor(
    reader: { useKeyring(keyring: Keyring): void },
    clock: Clock,
    dbKeys: () => Promise<readonly Uint8Array[]>,
  ) {
    this.#reader = reader;
    this.#clock = clock;
    this.#dbKeys = dbKeys;
  }

  /**
   * Reads once more with the db keys as they are now, where the database has moved to another.
   * @throws what `read` throws
   */
  async withKeys<T>(read: () => T): Promise<T> {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof MissingDbKeyError)) throw error;
    }
    this.#reloading ??= this.#pause()
      .then(() => this.reload())
      .finally(() => {
        this.#reloading = null;
      });
    await this.#reloading;
    return read();
  }

  async reload(): Promise<void> {
    this.#reloadedAt = this.#clock.elapsed();
    const keys = await this.#dbKeys();
    this.#reader.useKeyring(new Keyring(keys));
    wipe(...keys);
  }

  #pause(): Promise<void> {
    const left = this.#reloadedAt + RELOAD_PAUSE_MS - this.#clock.elapsed();
    if (left <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#clock.after(left, resolve);
    });
  }
}
