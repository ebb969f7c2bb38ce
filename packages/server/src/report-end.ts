import { type ClientId, type EndCause, type Epoch, IdentityError, ProtocolError } from "@pawl/protocol";
import type { EventBus } from "./events.ts";

/** The connection that ended, as its events show it. */
export interface EndedConnection {
  readonly connection: number;
  readonly remoteAddress: string;
  /** Whom HELLO named, verified or not; null before one came. */
  readonly clientId: ClientId | null;
  /** At which epoch. */
  readonly epoch: Epoch | null;
  readonly live: boolean;
}

/** Says how a connection ended, and the violation where it was one. `phase`: the state that it was met in. */
export function reportEnd(events: EventBus, ended: EndedConnection, cause: EndCause, phase: string): void {
  const { live, epoch, ...of } = ended;
  if (cause.kind === "violation") {
    const { error } = cause;
    events.emit({
      type: "violation",
      ...of,
      code: error instanceof ProtocolError ? error.code : "PAWL_INTERNAL",
      error: error.name,
      phase,
      epoch,
      subject: error instanceof IdentityError ? error.subject : null,
      authenticated: live,
      message: error.message,
    });
  }
  const terminated = cause.kind === "terminated" ? cause : null;
  events.emit({
    type: "session-ended",
    ...of,
    live,
    cause: cause.kind === "commit-failed" ? "lost" : cause.kind,
    by: terminated?.by ?? null,
    reason: terminated?.reason ?? null,
  });
}
