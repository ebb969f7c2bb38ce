import { type ClientId, toHex, wipe } from "@pawl/protocol";
import { type AuditEntry, type AuditHead, type AuditRow, ChainWalk, entryOf } from "./audit.ts";
import type { StoredClient } from "./stored-client.ts";

/** What `verify` found. Sound: `problems` is empty. */
export interface Verification {
  readonly clients: number;
  readonly entries: number;
  readonly head: AuditHead;
  /** A line each, the first hundred. */
  readonly problems: readonly string[];
  /** How many there were. */
  readonly problemCount: number;
}

export interface VerifyOptions {
  /** A head that was kept elsewhere (`headText`): the log has to have it still. */
  readonly expectHead?: string;
}

/** What a store lets itself be examined by. */
export interface Evidence {
  readonly storeId: Uint8Array;
  readonly auditKey: Uint8Array;
  rows(): Iterable<AuditRow>;
  ids(): Iterable<ClientId>;
  /** The secret is the caller's. @throws where it cannot be unwrapped */
  client(id: ClientId): StoredClient | null;
  /** What the database itself has to say, a line each. */
  integrity(): readonly string[];
}

const MOST_PROBLEMS = 100;

/** Walks the chain, unwraps every secret, and holds every client against what the log last said of it. */
export function verify(evidence: Evidence, { expectHead }: VerifyOptions = {}): Verification {
  const problems = new Problems();
  for (const line of evidence.integrity()) problems.add(line);
  const logged = new Map<ClientId, LoggedState>();
  const walk = new ChainWalk(evidence.auditKey, evidence.storeId);
  let anchored = expectHead === undefined;
  for (const row of evidence.rows()) {
    problems.add(walk.step(row));
    if (expectHead === `${row.seq}:${toHex(row.mac)}`) anchored = true;
    try {
      note(logged, entryOf(row));
    } catch (error) {
      problems.add(messageOf(error));
    }
  }
  if (!anchored) {
    problems.add(
      `the log does not have the head ${expectHead}: an older copy of the key database was put in its place`,
    );
  }
  let clients = 0;
  for (const id of evidence.ids()) {
    clients++;
    problems.add(problemOf(evidence, id, logged.get(id)));
    logged.delete(id);
  }
  for (const [id, { present }] of logged) {
    if (present) problems.add(`client ${id} is gone, and the audit log does not say that it was removed`);
  }
  return {
    clients,
    entries: walk.head.seq,
    head: walk.head,
    problems: problems.lines,
    problemCount: problems.count,
  };
}

interface LoggedState {
  readonly present: boolean;
  readonly generation: bigint | null;
  readonly revoked: boolean;
}

/** What an entry says of its client from then on. */
function note(logged: Map<ClientId, LoggedState>, { clientId, kind, generation, details }: AuditEntry): void {
  if (clientId === null) return;
  switch (kind) {
    case "adopted":
    case "imported":
    case "restored":
      logged.set(clientId, { present: true, generation, revoked: details.revoked === true });
      break;
    case "enrolled":
    case "reissued":
      logged.set(clientId, { present: true, generation, revoked: false });
      break;
    case "revoked":
      logged.set(clientId, { present: true, generation, revoked: true });
      break;
    case "removed":
      logged.set(clientId, { present: false, generation: null, revoked: false });
      break;
    default:
      break;
  }
}

function problemOf(evidence: Evidence, id: ClientId, logged: LoggedState | undefined): string | null {
  let client: StoredClient | null;
  try {
    client = evidence.client(id);
  } catch (error) {
    return messageOf(error);
  }
  if (client === null) return null;
  wipe(client.secret);
  if (logged === undefined || !logged.present)
    return `client ${id} is enrolled, and the audit log does not say so`;
  if ((client.revoked !== null) !== logged.revoked) {
    return `client ${id} is ${client.revoked === null ? "not " : ""}revoked, and the audit log says otherwise`;
  }
  if (client.generation !== logged.generation) {
    return `client ${id} has another generation than the audit log: its record was put back or exchanged`;
  }
  return null;
}

class Problems {
  readonly lines: string[] = [];
  count = 0;

  add(line: string | null): void {
    if (line === null) return;
    this.count++;
    if (this.lines.length < MOST_PROBLEMS) this.lines.push(line);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
