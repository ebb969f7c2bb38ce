import { copyOf, wipe } from "@pawl/protocol";
import type { Random } from "@pawl/protocol/driver";
import { type AuditEvent, stateOf } from "../audit.ts";
import { StoreError } from "../errors.ts";
import { Keyring, unwrapAuditKey, wrapAuditKey } from "../wrapping.ts";
import { AuditLog } from "./audit-log.ts";
import type { Database } from "./driver.ts";
import { INFO_COLUMNS, type InfoRow, infoFromRow, SECRET_COLUMNS, type SecretRow } from "./rows.ts";
import { SecretColumns } from "./secret-columns.ts";
import { SecretSlots } from "./secret-slots.ts";

/** What a key database says of itself. */
export interface Identity {
  readonly storeId: Uint8Array;
  readonly service: string;
  /** The id of the db key that secrets are written under now; null: none, they are stored as they are. */
  readonly wrap: string | null;
}

interface IdentityRow {
  readonly store_id: Uint8Array;
  readonly service: string;
  readonly wrap: string | null;
  readonly audit_key: Uint8Array;
  readonly audit_wrap: string | null;
}

const STORE_ID_BYTES = 16;
const AUDIT_KEY_BYTES = 32;

export const DEFAULT_SERVICE = "pawl";

/** Who opens a store, and with what. */
export interface Opener {
  readonly keyring: Keyring;
  readonly random: Random;
  readonly actor: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Of a new store; of one that is there, it has to be this. Null: whatever it is. */
  readonly service: string | null;
  /** Wraps a database that has its secrets as they are. */
  readonly encrypt: boolean;
}

/**
 * Gives a database that has none an identity, and starts its audit log. Called in the transaction that migrates.
 * A new one is written under the first db key that there is; one with clients stays as it is until `rewrap`.
 */
export function ensureIdentity(db: Database, opener: Opener): void {
  if (db.prepare("SELECT 1 FROM store").get() !== undefined) return;
  const { keyring, random } = opener;
  const clients = (
    db.prepare(`SELECT ${INFO_COLUMNS} FROM clients ORDER BY client_id`).all() as InfoRow[]
  ).map(infoFromRow);
  const wrap = clients.length > 0 ? null : (keyring.ids[0] ?? null);
  const storeId = random(STORE_ID_BYTES);
  const auditKey = random(AUDIT_KEY_BYTES);
  const stored =
    wrap === null ? copyOf(auditKey) : wrapAuditKey(keyring.get(wrap), storeId, auditKey, random);
  db.prepare(
    "INSERT INTO store (one, store_id, service, wrap, audit_key, audit_wrap) VALUES (1, ?, ?, ?, ?, ?)",
  ).run(storeId, opener.service ?? DEFAULT_SERVICE, wrap, stored, wrap);
  const log = new AuditLog(db, auditKey, storeId, opener.actor);
  log.append({ kind: "created", clientId: null, generation: null, details: {} }, opener.now);
  for (const client of clients) {
    const { clientId, generation } = client;
    log.append({ kind: "adopted", clientId, generation, details: stateOf(client) }, opener.now);
  }
  wipe(auditKey, stored);
}

/** @throws StoreError where it has another service than was asked for, or MissingDbKeyError */
export function checkOpener(
  db: Database,
  path: string,
  { keyring, service }: Pick<Opener, "keyring" | "service">,
): void {
  const { service: own, wrap } = readIdentity(db);
  if (service !== null && service !== own) {
    throw new StoreError(`key database ${path} is of the service "${own}", not "${service}"`);
  }
  if (wrap !== null) keyring.get(wrap);
  else if (keyring.ids.length > 0) {
    // Else whoever can write the file could put secrets of his own there, unwrapped.
    throw new StoreError(
      `key database ${path} is not encrypted although there is a db key; pawl keys rewrap encrypts it`,
    );
  }
}

/** Wraps all of a database that has its secrets as they are, under the first db key, in the caller's transaction. */
export function encryptPlain(db: Database, { keyring, random, actor, now }: Opener): void {
  const [to] = keyring.ids;
  const { storeId, service, wrap } = readIdentity(db);
  if (to === undefined || wrap !== null) return;
  useDbKey(db, keyring, to, random);
  const columns = new SecretColumns(service, keyring, random);
  const plain = new SecretColumns(service, new Keyring([]), random);
  const slots = new SecretSlots(db);
  const wrapped = db.prepare("UPDATE clients SET wrap = ? WHERE client_id = ?");
  for (const row of db.prepare(`SELECT ${SECRET_COLUMNS} FROM clients`).all() as SecretRow[]) {
    const secret = plain.open(row);
    slots.replace(row.client_id, columns.seal(to, row, secret));
    wrapped.run(to, row.client_id);
    wipe(secret);
  }
  const auditKey = readAuditKey(db, keyring);
  new AuditLog(db, auditKey, storeId, actor).append(rewrappedEvent(null, to), now);
  wipe(auditKey);
}

/** Db keys by their ids. */
export function rewrappedEvent(from: string | null, to: string): AuditEvent {
  return { kind: "rewrapped", clientId: null, generation: null, details: { from, to } };
}

export function readIdentity(db: Database): Identity {
  const { store_id: storeId, service, wrap } = identityRow(db);
  return { storeId, service, wrap };
}

/** The caller overwrites it. @throws MissingDbKeyError, StoreError where it was altered */
export function readAuditKey(db: Database, keyring: Keyring): Uint8Array {
  const { store_id: storeId, audit_key: stored, audit_wrap: wrap } = identityRow(db);
  if (wrap === null) return copyOf(stored);
  const key = unwrapAuditKey(keyring.get(wrap), storeId, stored);
  if (key === null) throw new StoreError("the key of the audit log was altered; restore a backup");
  return key;
}

/** From here on secrets are written under `wrap`. @returns the id that was written under before */
export function useDbKey(db: Database, keyring: Keyring, wrap: string, random: Random): string | null {
  const { storeId, wrap: before } = readIdentity(db);
  const auditKey = readAuditKey(db, keyring);
  const stored = wrapAuditKey(keyring.get(wrap), storeId, auditKey, random);
  db.prepare("UPDATE store SET wrap = ?, audit_key = ?, audit_wrap = ?").run(wrap, stored, wrap);
  wipe(auditKey, stored);
  return before;
}

function identityRow(db: Database): IdentityRow {
  const row = db.prepare("SELECT store_id, service, wrap, audit_key, audit_wrap FROM store").get();
  if (row === undefined) throw new StoreError("the key database has lost its identity; restore a backup");
  return row as IdentityRow;
}
