import { clientId, epoch, suiteById } from "@pawl/protocol";
import { StoreError } from "../errors.ts";
import type { ClientInfo } from "../store.ts";
import { generationFrom, type StoredClient } from "../stored-client.ts";

/** What may cross to the event loop and be shown: no secret among it. */
export const INFO_COLUMNS =
  "client_id, suite, generation, epoch, accepted_epoch, accepted_t, hello_window, label, created, last_seen, revoked_at, revoked_reason";
export const SECRET_COLUMNS = `${INFO_COLUMNS}, secret, wrap`;

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
  readonly last_seen: number | null;
  readonly revoked_at: number | null;
  readonly revoked_reason: string | null;
}

export interface SecretRow extends InfoRow {
  readonly secret: Uint8Array;
  readonly wrap: string | null;
}

/** @throws StoreError for a suite that this version does not know. */
export function infoFromRow(row: InfoRow): ClientInfo {
  const suite = suiteById(row.suite);
  if (suite === undefined) {
    throw new StoreError(
      `client ${row.client_id} has suite ${row.suite}, which this version does not know; upgrade it`,
    );
  }
  const { accepted_epoch: acceptedEpoch, accepted_t: t, revoked_at: at, revoked_reason: reason } = row;
  return {
    clientId: clientId(row.client_id),
    suite,
    generation: generationFrom(row.generation),
    epoch: epoch(row.epoch),
    window: row.hello_window,
    accepted: acceptedEpoch === null || t === null ? null : { epoch: epoch(acceptedEpoch), t },
    label: row.label,
    created: row.created,
    lastSeen: row.last_seen,
    revoked: at === null || reason === null ? null : { at, reason },
  };
}

/** @throws StoreError for a suite that this version does not know, and a secret that it cannot unwrap. */
export function clientFromRow(row: SecretRow): StoredClient {
  if (row.wrap !== null) {
    throw new StoreError(
      `the secret of client ${row.client_id} is wrapped, which this version cannot undo; upgrade it`,
    );
  }
  return { ...infoFromRow(row), secret: row.secret };
}
