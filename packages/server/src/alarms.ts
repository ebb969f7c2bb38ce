import type { ClientId } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import type { EventBus } from "./events.ts";
import type { Alarm, AlarmKind } from "./keys/alarm.ts";
import type { KeyStore } from "./keys/store.ts";

/** How long alarms are gathered before they are written, in milliseconds. */
const GATHER_MS = 1_000;
/** Clients of each kind that may wait: for each kind, so that what anybody can cause crowds out nothing authentic. */
const MAX_WAITING = 1_000;
/** Written at once, so that a commit of a session does not queue behind all of them. */
const BATCH = 100;

/**
 * Subscribes to what the operator of the key database should know, and adds it up in memory: each client and kind is
 * written once in a while, so that nobody makes the server write to disk for each packet.
 */
export class AlarmRecorder {
  readonly #keys: Pick<KeyStore, "alarm">;
  readonly #clock: Clock;
  readonly #events: EventBus;
  readonly #onFailure: () => void;
  readonly #waiting: Readonly<Record<AlarmKind, Map<ClientId, Alarm>>> = {
    "clone-detected": new Map(),
    "stale-epoch": new Map(),
    "revoked-hello": new Map(),
  };
  readonly #leave: readonly (() => void)[];
  #cancel: (() => void) | null = null;
  #writing: Promise<void> | null = null;
  /** Alarms that found no room. */
  #unrecorded = 0;
  #closed = false;

  /** @param onFailure told when the store does not take what waits; it is tried again */
  constructor(keys: Pick<KeyStore, "alarm">, clock: Clock, events: EventBus, onFailure: () => void) {
    this.#keys = keys;
    this.#clock = clock;
    this.#events = events;
    this.#onFailure = onFailure;
    this.#leave = [
      events.on("clone-detected", (event) => this.#add("clone-detected", event)),
      events.on("stale-epoch", (event) => this.#add("stale-epoch", event)),
      events.on("violation", ({ subject, clientId, epoch, ...event }) => {
        if (subject !== "revoked" || clientId === null || epoch === null) return;
        this.#add("revoked-hello", { ...event, clientId, epoch, stored: null });
      }),
    ];
  }

  /** Writes what waits, if the store takes it. */
  async close(): Promise<void> {
    for (const leave of this.#leave) leave();
    this.#closed = true;
    this.#cancel?.();
    await this.#writing;
    if (await this.#write()) return;
    const left = this.#all().reduce((sum, { count }) => sum + count, 0);
    this.#events.emit({
      type: "alarms-unrecorded",
      count: left,
      message: "the key database did not take them",
    });
  }

  #add(kind: AlarmKind, alarm: Omit<Alarm, "kind" | "count">, count = 1): void {
    const { clientId, at, remoteAddress, epoch, stored } = alarm;
    const waiting = this.#waiting[kind];
    const before = waiting.get(clientId);
    if (before === undefined && waiting.size >= MAX_WAITING) this.#unrecorded += count;
    else {
      const total = (before?.count ?? 0) + count;
      waiting.set(clientId, { clientId, kind, count: total, at, remoteAddress, epoch, stored });
    }
    this.#arm();
  }

  #arm(): void {
    if (this.#cancel !== null || this.#writing !== null || this.#closed) return;
    this.#cancel = this.#clock.after(GATHER_MS, () => {
      this.#cancel = null;
      this.#writing = this.#write().then((written) => {
        this.#writing = null;
        if (!written) this.#onFailure();
        if (this.#all().length > 0) this.#arm();
      });
    });
  }

  #all(): Alarm[] {
    return Object.values(this.#waiting).flatMap((waiting) => [...waiting.values()]);
  }

  /** False where the store failed: what it did not take waits on. Never rejects. */
  async #write(): Promise<boolean> {
    const alarms = this.#all();
    for (const waiting of Object.values(this.#waiting)) waiting.clear();
    if (this.#unrecorded > 0) {
      const message = `more than ${MAX_WAITING} clients had one at once`;
      this.#events.emit({ type: "alarms-unrecorded", count: this.#unrecorded, message });
      this.#unrecorded = 0;
    }
    for (let at = 0; at < alarms.length; at += BATCH) {
      const batch = alarms.slice(at, at + BATCH);
      const results = await Promise.allSettled(batch.map((alarm) => this.#keys.alarm(alarm)));
      const failed = results.findIndex(({ status }) => status === "rejected");
      if (failed < 0) continue;
      const rest = [
        ...batch.filter((_, i) => results[i]?.status === "rejected"),
        ...alarms.slice(at + BATCH),
      ];
      this.#putBack(rest);
      return false;
    }
    return true;
  }

  /** What has come since is later: address and epochs stay its own. */
  #putBack(alarms: readonly Alarm[]): void {
    for (const alarm of alarms) {
      const since = this.#waiting[alarm.kind].get(alarm.clientId);
      this.#add(alarm.kind, since ?? alarm, alarm.count);
    }
  }
}
