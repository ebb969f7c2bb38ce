import type { PawlServerEvent } from "@pawl/server";

export type Level = "debug" | "info" | "warn" | "error";

/** How serious an event is, and what it says to people. */
export function describeEvent(event: PawlServerEvent): { level: Level; text: string } {
  switch (event.type) {
    case "listening":
      return { level: "info", text: `listening on ${event.host}:${event.port}, crypto ${event.crypto}` };
    case "connection":
      return { level: "debug", text: `connection from ${event.remoteAddress}` };
    case "handshake":
      return { level: "debug", text: `client ${event.clientId}: HELLO at epoch ${event.epoch} answered` };
    case "session-live":
      return {
        level: "info",
        text: `client ${event.clientId}: live at epoch ${event.epoch} (${event.suite})`,
      };
    case "message":
      return { level: "debug", text: `client ${event.clientId}: round ${event.round}, ${event.bytes} bytes` };
    case "session-ended": {
      const who = event.clientId === null ? "a connection" : `client ${event.clientId}`;
      return { level: event.live ? "info" : "debug", text: `${who}: ended, ${event.reason ?? event.cause}` };
    }
    case "violation": {
      const who =
        event.clientId === null ? event.remoteAddress : `${event.remoteAddress} as client ${event.clientId}`;
      return { level: "warn", text: `refused ${who}: ${event.error}, ${event.message}` };
    }
    case "stale-epoch":
      return {
        level: "warn",
        text: `client ${event.clientId}: HELLO at epoch ${event.epoch}, behind ${event.stored}: replayed, cloned or restored (unauthenticated)`,
      };
    case "clone-detected":
      return {
        level: "error",
        text: `client ${event.clientId}: two holders of its secret exist (a session at epoch ${event.epoch}, ${event.stored} stored); one is a copy`,
      };
    case "clone-revoked":
      return {
        level: "error",
        text: `client ${event.clientId}: revoked, since two holders of its secret exist`,
      };
    case "alarms-unrecorded":
      return { level: "warn", text: `${event.count} alarms are not recorded: ${event.message}` };
    case "overdue":
      return {
        level: "warn",
        text: `client ${event.clientId}: its epoch has not moved since ${new Date(event.movedAt).toISOString()}`,
      };
    case "half-open-evicted":
      return { level: "warn", text: `evicted the oldest half-open connection of ${event.remoteAddress}` };
    case "handshake-throttled":
      return { level: "warn", text: `throttled ${event.remoteAddress}: too many handshakes` };
    case "challenge-budget":
      return {
        level: "warn",
        text: `client ${event.clientId}: one HELLO a minute, its suite's limit is near`,
      };
    case "client-cap":
      return {
        level: "warn",
        text: `client ${event.clientId}: refused, ${event.cap} are live; see --max-clients`,
      };
    case "slow-reader":
      return {
        level: "warn",
        text: `cut ${event.remoteAddress}: ${event.queuedBytes} bytes it does not read`,
      };
    case "commit":
      return {
        level: event.outcome === "done" ? "debug" : "warn",
        text: `client ${event.clientId}: ${event.purpose} commit ${event.outcome} in ${event.latencyMs} ms`,
      };
    case "store-error":
      return { level: "error", text: `the key database failed: ${event.message}` };
    case "store-unavailable":
      return {
        level: "error",
        text: `the key database takes no commits, so no client is let in: ${event.message}`,
      };
    case "store-available":
      return { level: "info", text: `the key database works again, after ${event.downMs} ms` };
    case "refused":
      return { level: "warn", text: `refused client ${event.clientId}: the key database takes no commits` };
    case "application-error":
      return { level: "error", text: `client ${event.clientId}: ${event.message}` };
    case "round":
      return {
        level: "info",
        text: `round ${event.round}: ${countOf(event.contributors)}, product ${short(event.aggregate)}`,
      };
    case "listener-error":
      return { level: "error", text: `a listener of events failed: ${event.message}` };
    case "worker-started":
      return { level: "info", text: `worker ${event.worker}: started, process ${event.pid}` };
    case "worker-ended": {
      const text = `worker ${event.worker}: ended, ${event.how}`;
      if (event.againInMs === null) return { level: "info", text };
      return { level: "error", text: `${text}; starts again in ${event.againInMs} ms` };
    }
    case "closing":
      return { level: "info", text: "draining" };
    case "closed":
      return { level: "info", text: "closed" };
    default:
      return event satisfies never;
  }
}

export function countOf(clients: number): string {
  return clients === 1 ? "1 client" : `${clients} clients`;
}

/** Aggregates may have a hundred thousand digits. */
export function short(aggregate: string | null): string {
  if (aggregate === null) return "over 100,000 digits";
  return aggregate.length <= 40 ? aggregate : `${aggregate.slice(0, 30)}… (${aggregate.length} characters)`;
}
