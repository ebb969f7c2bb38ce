import type { AlarmTally, AuditEntry, ClientInfo } from "@pawl/server/keys";

/** How the fleet is put into words. */

export type ClientState = "active" | "new" | "revoked" | "overdue";

/** @param overdueMs how long an epoch may stand still; null: for ever */
export function stateOf(client: ClientInfo, now: number, overdueMs: number | null): ClientState {
  if (client.revoked !== null) return "revoked";
  if (overdueMs !== null && now - client.moved > overdueMs) return "overdue";
  return client.lastSeen === null ? "new" : "active";
}

/** `2026-11-25 21:00:00` in UTC. */
export function timeText(at: number | null): string {
  return at === null ? "never" : new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

/** What an alarm means and what to do about it. */
export function alarmText({ kind, count, lastAt, remoteAddress, epoch, stored }: AlarmTally): string {
  const seen = `${count} time${count === 1 ? "" : "s"}, last ${timeText(lastAt)} from ${remoteAddress}`;
  switch (kind) {
    case "stale-epoch":
      return (
        `stale epoch (not authenticated, anybody can cause it): ${seen}, HELLO at epoch ${epoch} where ${stored} is stored. ` +
        "A copy or a backup of its credential was put back, or an old HELLO replayed; if the device itself fails to connect, reissue it"
      );
    case "clone-detected":
      return (
        `CLONE (authentic): ${seen}, at epoch ${epoch}${stored === null ? "" : ` where ${stored} is stored`}. ` +
        "Two holders of its secret exist: revoke it, find the copy, then reissue"
      );
    case "revoked-hello":
      return `HELLO although revoked (not authenticated): ${seen}. Something still uses this client's id`;
    default:
      return kind satisfies never;
  }
}

/** What an entry of the audit log says besides time, actor and client. */
export function entryText({ kind, details }: AuditEntry): string {
  const told = Object.entries(details)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${typeof value === "string" ? JSON.stringify(value) : value}`);
  return told.length === 0 ? kind : `${kind}: ${told.join(", ")}`;
}
