import { AlarmRecorder } from "./alarms.ts";
import { revokeClones } from "./clones.ts";
import type { EventBus } from "./events.ts";
import type { KeyStore } from "./keys/store.ts";
import type { ResolvedOptions } from "./options.ts";
import { OverdueWatch } from "./overdue.ts";

/**
 * What a server does once, however many processes it has: alarms are recorded, clones revoked where the operator wants it,
 * and clients looked for that are overdue. Subscribers of the server's events, all of them.
 */
export class Housekeeping {
  readonly #alarms: AlarmRecorder;
  /** Null: the operator did not ask. */
  readonly #overdue: OverdueWatch | null;

  /** @param onStoreFailure told when the key database does not take an alarm */
  constructor(
    { keys, clock, onClone, overdueAfterMs }: ResolvedOptions<KeyStore>,
    events: EventBus,
    onStoreFailure: () => void,
  ) {
    this.#alarms = new AlarmRecorder(keys, clock, events, onStoreFailure);
    if (onClone === "revoke") revokeClones(events, keys);
    this.#overdue = overdueAfterMs === null ? null : new OverdueWatch(keys, clock, events, overdueAfterMs);
  }

  start(): void {
    this.#overdue?.start();
  }

  /** Writes what waits. When it is over the key database is not used any more. */
  async stop(): Promise<void> {
    await this.#overdue?.stop();
    await this.#alarms.close();
  }
}
