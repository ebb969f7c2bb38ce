import type { ClientId } from "@pawl/protocol";
import type { Random } from "@pawl/protocol/driver";
import { type Alarm, type AlarmTally, addAlarm, type StoredTally, tallyOf } from "./alarm.ts";
import { type AuditEvent, type AuditRow, chainStart, nextRow } from "./audit.ts";

const STORE_ID_BYTES = 16;
const AUDIT_KEY_BYTES = 32;

/** The audit log and the alarms of a store in memory. */
export class MemoryLog {
  readonly storeId: Uint8Array;
  readonly auditKey: Uint8Array;
  readonly rows: AuditRow[] = [];
  readonly #now: () => number;
  readonly #actor: string;
  readonly #alarms = new Map<ClientId, Map<Alarm["kind"], StoredTally>>();

  constructor(now: () => number, random: Random, actor: string) {
    this.#now = now;
    this.#actor = actor;
    this.storeId = random(STORE_ID_BYTES);
    this.auditKey = random(AUDIT_KEY_BYTES);
    this.note({ kind: "created", clientId: null, generation: null, details: {} });
  }

  note(event: AuditEvent): void {
    const head = this.rows.at(-1) ?? chainStart(this.storeId);
    this.rows.push(nextRow(this.auditKey, head, event, this.#now(), this.#actor));
  }

  alarm(alarm: Alarm, generation: bigint): void {
    const { clientId, kind } = alarm;
    const tallies = this.#alarms.get(clientId) ?? new Map<Alarm["kind"], StoredTally>();
    this.#alarms.set(clientId, tallies);
    const { tally, event } = addAlarm(tallies.get(kind) ?? null, alarm);
    tallies.set(kind, tally);
    if (event !== null) this.note({ ...event, clientId, generation });
  }

  alarms(clientId: ClientId): AlarmTally[] {
    const tallies = [...(this.#alarms.get(clientId)?.values() ?? [])];
    return tallies.sort((a, b) => (a.kind < b.kind ? -1 : 1)).map(tallyOf);
  }

  alarmed(): ClientId[] {
    return [...this.#alarms.keys()].sort((a, b) => a - b);
  }

  forgetAlarms(clientId: ClientId): void {
    this.#alarms.delete(clientId);
  }
}
