import type { ClientId, Epoch } from "@pawl/protocol";

/**
 * Signs of trouble with one client that its operator should know of (section 4.5).
 * - `stale-epoch`: a HELLO behind the stored epoch: replayed, cloned, or a copy that was put back. Anybody can cause it.
 * - `clone-detected`: two holders of one secret exist. Only a holder can cause it.
 * - `revoked-hello`: a HELLO of a revoked client. Anybody can cause it.
 */
export type AlarmKind = "stale-epoch" | "clone-detected" | "revoked-hello";
export const ALARM_KINDS: readonly AlarmKind[] = ["stale-epoch", "clone-detected", "revoked-hello"];

/** What a server reports to its store. */
export interface Alarm {
  readonly clientId: ClientId;
  readonly kind: AlarmKind;
  /** How often since the last report, at least 1. */
  readonly count: number;
  /** Of the last one, milliseconds since 1970. */
  readonly at: number;
  readonly remoteAddress: string;
  /** Of the HELLO; for `clone-detected` of the session. */
  readonly epoch: Epoch;
  /** What was stored then; null where it does not matter. */
  readonly stored: Epoch | null;
}

/** All alarms of one kind and client since the client was enrolled or reissued. Address and epochs are of the last. */
export interface AlarmTally extends Omit<Alarm, "clientId" | "at"> {
  readonly firstAt: number;
  readonly lastAt: number;
}

/** As a store keeps it. */
export interface StoredTally extends AlarmTally {
  /** When the audit log last had it. */
  readonly loggedAt: number;
}

/** What the audit log is to have of an alarm. */
export interface AlarmEvent {
  readonly kind: AlarmKind;
  readonly details: {
    readonly remoteAddress: string;
    readonly epoch: Epoch;
    readonly stored: Epoch | null;
    readonly count: number;
  };
}

const HOUR_MS = 3_600_000;

/** What anybody can cause must not fill the log; what only a holder of the key can cause is worth a line an hour. */
const LOGGED_AGAIN_AFTER_MS: Readonly<Record<AlarmKind, number>> = {
  "clone-detected": HOUR_MS,
  "stale-epoch": 24 * HOUR_MS,
  "revoked-hello": 24 * HOUR_MS,
};

/** The tally with one more report, and what the audit log is to have of it, if anything. */
export function addAlarm(
  before: StoredTally | null,
  { kind, count, at, remoteAddress, epoch, stored }: Alarm,
): { tally: StoredTally; event: AlarmEvent | null } {
  const total = (before?.count ?? 0) + count;
  const isDue = before === null || at - before.loggedAt >= LOGGED_AGAIN_AFTER_MS[kind];
  return {
    tally: {
      kind,
      count: total,
      firstAt: before?.firstAt ?? at,
      lastAt: at,
      remoteAddress,
      epoch,
      stored,
      loggedAt: isDue ? at : before.loggedAt,
    },
    event: isDue ? { kind, details: { remoteAddress, epoch, stored, count: total } } : null,
  };
}

export function tallyOf({ loggedAt: _loggedAt, ...tally }: StoredTally): AlarmTally {
  return tally;
}
