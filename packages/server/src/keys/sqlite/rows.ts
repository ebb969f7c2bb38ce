import { type Accepted, type ClientRecord, clientId, epoch, type Suite, suiteById } from "@pawl/protocol";
import { ALARM_KINDS, type StoredTally } from "../alarm.ts";
import { StoreError } from "../errors.ts";
import type { ClientInfo } from "../store.ts";
import { generationFrom, type StoredClient } from "../stored-client.ts";
import type { SecretColumns } from "./secret-columns.ts";

/** What may cross to the event loop and be shown: no secret among it. */
export const INFO_COLUMNS =
  "client_id, suite, generation, epoch, accepted_epoch, accepted_t, hello_window, label, created, moved, last_seen, revoked_at, revoked_reason";
/** `secret` is a cell of secret-slots.ts. */
const CELL_COLUMNS = "(SELECT secret FROM secrets WHERE secrets.slot = clients.slot) AS secret, wrap";
export const SECRET_COLUMNS = `${INFO_COLUMNS}, ${CELL_COLUMNS}`;
/** What a session needs, and no more: it is read for each HELLO. */
export const RECORD_COLUMNS = `client_id, suite, generation, epoch, accepted_epoch, accepted_t, hello_window, revoked_at, ${CELL_COLUMNS}`;

/** The types are those of the STRICT table in schema.ts, which SQLite keeps. */
export interface InfoRow {
  readonly client_id: number;
  readonly suite: number;
  readonly generation: Uint8Array;
  readonly epoch: number;
  readonly accepted_epoch: number | null;
  readonly accepted_t: Uint8Array | null;
  readonly hello_window: number;
  readonly label: string | null;
  readonly created: number;
  readonly moved: number;
  readonly last_seen: number | null;
  readonly revoked_at: number | null;
  readonly revoked_reason: string | null;
}

interface CellRow {
  /** A cell; null: tampered with. */
  readonly secret: Uint8Array | null;
  readonly wrap: string | null;
}

export interface SecretRow extends InfoRow, CellRow {}

export type RecordRow = Omit<InfoRow, "label" | "created" | "moved" | "last_seen" | "revoked_reason"> &
  CellRow;

/** The secret is the caller's. @throws StoreError for an unknown suite, a secret that does not open */
export function recordFromRow(row: RecordRow, columns: SecretColumns): ClientRecord {
  return {
    clientId: clientId(row.client_id),
    suite: suiteOf(row),
    generation: generationFrom(row.generation),
    epoch: epoch(row.epoch),
    secret: columns.open(row),
    accepted: acceptedOf(row),
    window: row.hello_window,
    revoked: row.revoked_at !== null,
  };
}

/** @throws StoreError for a suite that this version does not know. */
export function infoFromRow(row: InfoRow): ClientInfo {
  const { revoked_at: at, revoked_reason: reason } = row;
  return {
    clientId: clientId(row.client_id),
    suite: suiteOf(row),
    generation: generationFrom(row.generation),
    epoch: epoch(row.epoch),
    window: row.hello_window,
    accepted: acceptedOf(row),
    label: row.label,
    created: row.created,
    moved: row.moved,
    lastSeen: row.last_seen,
    revoked: at === null || reason === null ? null : { at, reason },
  };
}

/** The secret is the caller's. @throws StoreError for an unknown suite, a secret that does not open */
export function clientFromRow(row: SecretRow, columns: SecretColumns): StoredClient {
  return { ...infoFromRow(row), secret: columns.open(row) };
}

function suiteOf(row: Pick<InfoRow, "client_id" | "suite">): Suite {
  const suite = suiteById(row.suite);
  if (suite !== undefined) return suite;
  throw new StoreError(
    `client ${row.client_id} has suite ${row.suite}, which this version does not know; upgrade it`,
  );
}

function acceptedOf({
  accepted_epoch: at,
  accepted_t: t,
}: Pick<InfoRow, "accepted_epoch" | "accepted_t">): Accepted | null {
  return at === null || t === null ? null : { epoch: epoch(at), t };
}

export interface AlarmRow {
  readonly kind: string;
  readonly count: number;
  readonly first_at: number;
  readonly last_at: number;
  readonly remote_address: string;
  readonly epoch: number;
  readonly stored: number | null;
  readonly logged_at: number;
}
export const ALARM_COLUMNS = "kind, count, first_at, last_at, remote_address, epoch, stored, logged_at";

/** Null for a kind that this version does not know. */
export function tallyFromRow(row: AlarmRow): StoredTally | null {
  const kind = ALARM_KINDS.find((known) => known === row.kind);
  if (kind === undefined) return null;
  return {
    kind,
    count: row.count,
    firstAt: row.first_at,
    lastAt: row.last_at,
    remoteAddress: row.remote_address,
    epoch: epoch(row.epoch),
    stored: row.stored === null ? null : epoch(row.stored),
    loggedAt: row.logged_at,
  };
}
