import type { ClientId, Epoch } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import type { StoreChange } from "../store.ts";
import { Watchers } from "../watchers.ts";

/** How often other processes' changes are looked for, in milliseconds. The interface allows a second. */
export const POLL_MS = 250;

export type ClientState = NonNullable<StoreChange["now"]>;

/** Where the feed reads. Never older than what `version` told before, or what was acknowledged. */
export interface ChangeSource {
  /** A page at a time, each read when it is asked for. */
  pages(): Iterable<readonly (readonly [ClientId, ClientState])[]>;
  one(clientId: ClientId): ClientState | null;
  /** Another number than before: somebody else has written. Null: not known now. Rejected: never again. */
  version(): Promise<number | null>;
}

/**
 * Tells of changes by comparing what is stored now with what it told last, so that nothing is told twice or out of
 * order, whether an acknowledgement or another process's write comes first. Idle while nobody watches.
 */
export class ChangeFeed {
  readonly #source: ChangeSource;
  readonly #clock: Clock;
  readonly #watchers = new Watchers();
  readonly #told = new Map<ClientId, ClientState>();
  #version: number | null = null;
  #cancelPoll: (() => void) | null = null;

  constructor(source: ChangeSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  watch(listener: (change: StoreChange) => void): () => void {
    if (this.#watchers.size === 0) this.#start();
    const remove = this.#watchers.add(listener);
    return () => {
      remove();
      if (this.#watchers.size === 0) this.#stop();
    };
  }

  /** This store object has changed a client, durably. */
  changed(clientId: ClientId): void {
    if (this.#watchers.size > 0) this.#compare(clientId, this.#source.one(clientId));
  }

  /**
   * This store object has moved a client from `from` to the epoch `to`, durably. Nothing is read where `from` was told last:
   * nobody can have been told of what came after this move.
   */
  moved(clientId: ClientId, from: ClientState, to: Epoch): void {
    if (this.#watchers.size === 0) return;
    if (isSame(this.#told.get(clientId) ?? null, from)) this.#compare(clientId, { ...from, epoch: to });
    else this.changed(clientId);
  }

  close(): void {
    this.#watchers.clear();
    this.#stop();
  }

  #start(): void {
    this.#told.clear();
    for (const page of this.#source.pages()) {
      for (const [clientId, state] of page) this.#told.set(clientId, state);
    }
    this.#version = null;
    this.#schedule();
  }

  #stop(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = null;
  }

  #schedule(): void {
    const cancel = this.#clock.after(POLL_MS, () => {
      void this.#poll().then((again) => {
        if (again && this.#cancelPoll === cancel) this.#schedule();
      });
    });
    this.#cancelPoll = cancel;
  }

  async #poll(): Promise<boolean> {
    let version: number | null;
    try {
      version = await this.#source.version();
    } catch {
      return false;
    }
    if (this.#watchers.size === 0 || (version !== null && version === this.#version)) return true;
    try {
      await this.#compareAll();
      this.#version = version;
    } catch {
      // Busy or broken: the next poll tries again, and whoever uses the store is told by its own call.
    }
    return true;
  }

  /** With a turn of the event loop between pages: a hundred thousand clients must not hold the rounds up. */
  async #compareAll(): Promise<void> {
    const unseen = new Set(this.#told.keys());
    for (const page of this.#source.pages()) {
      for (const [clientId, state] of page) {
        unseen.delete(clientId);
        this.#compare(clientId, state);
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    // Read again: it may have been enrolled since its page was read.
    for (const clientId of unseen) this.#compare(clientId, this.#source.one(clientId));
  }

  #compare(clientId: ClientId, now: ClientState | null): void {
    const before = this.#told.get(clientId) ?? null;
    if (isSame(before, now)) return;
    if (now === null) this.#told.delete(clientId);
    else this.#told.set(clientId, now);
    this.#watchers.tell({ clientId, now });
  }
}

function isSame(a: ClientState | null, b: ClientState | null): boolean {
  if (a === null || b === null) return a === b;
  return a.generation === b.generation && a.epoch === b.epoch && a.revoked === b.revoked;
}
