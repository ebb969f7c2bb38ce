import { type ClientId, clientId, concat, nodeCrypto, toHex, utf8 } from "@pawl/protocol";
import type { AlarmKind } from "./alarm.ts";
import type { ClientInfo } from "./client-info.ts";
import { StoreError } from "./errors.ts";

/**
 * The audit log: what happened to the clients of a key database, chained so that no entry can be altered, left out or
 * put in unnoticed by whoever lacks the chain's key. `mac_n = HMAC(key, "pawl/1 audit" ‖ 0x00 ‖ mac_{n−1} ‖ body_n)`, and
 * before the first entry stands the hash of the store's own id.
 *
 * The key lies in the database, wrapped like a secret where those are. What the chain cannot show is that its end was
 * cut off together with what the end says of the clients, that is, an older copy of the whole file: who keeps a head
 * elsewhere (`headText`) can.
 */

/** `adopted`: was there before the log was kept. The rest are the calls of the key store, and alarms. */
export type AuditKind =
  | "created"
  | "adopted"
  | "enrolled"
  | "imported"
  | "revoked"
  | "reissued"
  | "removed"
  | "renamed"
  | "restored"
  | "rewrapped"
  | "exported"
  | "backed-up"
  | AlarmKind;

export type AuditDetails = Readonly<Record<string, string | number | boolean | null>>;

export interface AuditEvent {
  readonly kind: AuditKind;
  /** Null: the whole store. */
  readonly clientId: ClientId | null;
  /** Of the client after the event; null where it has none. */
  readonly generation: bigint | null;
  /** No secrets. */
  readonly details: AuditDetails;
}

export interface AuditEntry extends AuditEvent {
  /** 1, 2, … without a gap. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Who did it, as the opener of the store said. */
  readonly actor: string;
  /** 32 bytes. */
  readonly mac: Uint8Array;
}

/** The end of a chain; before its first entry `seq` is 0. */
export interface AuditHead {
  readonly seq: number;
  readonly mac: Uint8Array;
}

/** An entry as it is stored: `body` is what the MAC covers. */
export interface AuditRow {
  readonly seq: number;
  readonly body: string;
  readonly mac: Uint8Array;
}

export function chainStart(storeId: Uint8Array): AuditHead {
  return { seq: 0, mac: nodeCrypto.sha256(storeId) };
}

/** The row that comes after `head`. */
export function nextRow(
  key: Uint8Array,
  head: AuditHead,
  event: AuditEvent,
  at: number,
  actor: string,
): AuditRow {
  const seq = head.seq + 1;
  const { kind, clientId, generation, details } = event;
  const hex = generation === null ? null : generation.toString(16).padStart(16, "0");
  const body = JSON.stringify([seq, at, kind, clientId, hex, actor, details]);
  return { seq, body, mac: macOf(key, head.mac, body) };
}

/** @throws StoreError where the body is none */
export function entryOf({ seq, body, mac }: AuditRow): AuditEntry {
  try {
    const [own, at, kind, id, hex, actor, details] = JSON.parse(body) as [
      number,
      number,
      AuditKind,
      number | null,
      string | null,
      string,
      AuditDetails,
    ];
    if (own !== seq) throw new Error("another number");
    return {
      seq,
      at,
      kind,
      clientId: id === null ? null : clientId(id),
      generation: hex === null ? null : BigInt(`0x${hex}`),
      actor,
      details,
      mac,
    };
  } catch (cause) {
    throw new StoreError(`entry ${seq} of the audit log is damaged; see pawl keys verify`, { cause });
  }
}

/** The details of `enrolled`. */
export function enrolmentOf(suite: string, label: string | null | undefined): AuditDetails {
  return { suite, label: label ?? null };
}

/** The details of `adopted`, `imported` and `restored`: what the client is like from then on. */
export function stateOf({
  suite,
  label,
  epoch,
  revoked,
}: Omit<ClientInfo, "generation" | "window">): AuditDetails {
  return { suite: suite.name, label, epoch, revoked: revoked !== null };
}

/** `seq:mac` in hexadecimal, to be kept elsewhere. */
export function headText({ seq, mac }: AuditHead): string {
  return `${seq}:${toHex(mac)}`;
}

const LABEL = concat(utf8("pawl/1 audit"), Uint8Array.of(0));

function macOf(key: Uint8Array, before: Uint8Array, body: string): Uint8Array {
  return nodeCrypto.hmacSha256(key, LABEL, before, utf8(body));
}

/** Walks a chain from its start, and says what is wrong with it. */
export class ChainWalk {
  readonly #key: Uint8Array;
  #head: AuditHead;

  constructor(key: Uint8Array, storeId: Uint8Array) {
    this.#key = key;
    this.#head = chainStart(storeId);
  }

  get head(): AuditHead {
    return this.#head;
  }

  /** What is wrong with the next row; null: nothing. The walk goes on from it either way. */
  step(row: AuditRow): string | null {
    const { seq, mac } = this.#head;
    this.#head = row;
    if (row.seq !== seq + 1)
      return `entries ${seq + 1} to ${row.seq - 1} of the audit log are missing or out of order`;
    if (!nodeCrypto.equal(macOf(this.#key, mac, row.body), row.mac)) {
      return `entry ${row.seq} of the audit log, or the one before it, was altered`;
    }
    return null;
  }
}
