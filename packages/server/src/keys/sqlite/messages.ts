import type { ClientId, SuiteId } from "@pawl/protocol";
import type { Alarm } from "../alarm.ts";
import type { AuditDetails, AuditKind } from "../audit.ts";
import type { CommitOperation } from "../packed-commits.ts";
import type { ExportedClient } from "../store.ts";
import type { InfoRow } from "./rows.ts";

/** What the event loop and the writer's thread say to each other. Secrets are handed over, not copied. */
export type ToWriter =
  | { readonly type: "write"; readonly operations: readonly Operation[] }
  /** The same, for a batch of commits alone (../packed-commits.ts). */
  | { readonly type: "commit"; readonly commits: Uint8Array }
  | { readonly type: "version" }
  /** The db keys as they are now: answers `missing-key`, and the batch is tried once more. */
  | { readonly type: "keys"; readonly keys: readonly Uint8Array[] }
  /** A consistent copy into an empty file. */
  | { readonly type: "copy"; readonly path: string }
  | { readonly type: "close" };

export type FromWriter =
  | { readonly type: "open" }
  | { readonly type: "refused"; readonly message: string }
  /** One for each operation of the batch, in order, durable. Null: each is `DONE`. */
  | { readonly type: "written"; readonly results: readonly OperationResult[] | null }
  | { readonly type: "failed"; readonly message: string }
  /** Nothing was written: the database is under a db key that the thread does not have. */
  | { readonly type: "missing-key" }
  | { readonly type: "copied"; readonly error: string | null }
  /** Another number than before: another connection has written. Null: not known now. */
  | { readonly type: "version"; readonly version: number | null };

/** What the thread starts with. */
export interface WriterData {
  readonly path: string;
  readonly create: boolean;
  /** Db keys, 32 bytes each; none: secrets are stored as they are. */
  readonly keys: readonly Uint8Array[];
  /** Wraps a database that has its secrets as they are. */
  readonly encrypt: boolean;
  /** Null: whatever the database has; a new one gets the default. */
  readonly service: string | null;
  readonly actor: string;
}

/** Times are milliseconds since 1970; generations that are new are drawn by the event loop, 8 bytes. */
export type Operation =
  | CommitOperation
  | AddOperation
  | {
      readonly kind: "revoke";
      readonly clientId: ClientId;
      readonly generation: Uint8Array;
      readonly reason: string;
      readonly at: number;
    }
  | {
      readonly kind: "reissue";
      readonly clientId: ClientId;
      readonly generation: Uint8Array;
      readonly secret: Uint8Array;
      readonly reason: string | null;
      readonly at: number;
    }
  | {
      readonly kind: "remove";
      readonly clientId: ClientId;
      readonly reason: string | null;
      readonly at: number;
    }
  | {
      readonly kind: "rename";
      readonly clientId: ClientId;
      readonly label: string | null;
      readonly at: number;
    }
  | ImportOperation
  | AlarmOperation
  /** An entry of the audit log about the whole store. */
  | {
      readonly kind: "note";
      readonly event: AuditKind;
      readonly details: AuditDetails;
      readonly at: number;
    }
  /** Writes under another db key from here on. */
  | { readonly kind: "use-key"; readonly to: string; readonly at: number }
  | RewrapOperation
  | { readonly kind: "probe" };

export interface AddOperation {
  readonly kind: "add";
  readonly clients: readonly AddedClient[];
  readonly maxClients: number | null;
  readonly at: number;
}

export interface ImportOperation {
  readonly kind: "import";
  readonly clients: readonly (Omit<ExportedClient, "suite"> & {
    readonly suite: SuiteId;
    readonly generation: Uint8Array;
  })[];
  readonly maxClients: number | null;
  readonly at: number;
}

export interface AlarmOperation {
  readonly kind: "alarm";
  readonly alarm: Alarm;
}

/** Up to `limit` clients whose secrets are wrapped under other db keys than `to`. */
export interface RewrapOperation {
  readonly kind: "rewrap";
  readonly to: string;
  readonly limit: number;
}

export interface AddedClient {
  readonly clientId: ClientId;
  readonly suite: SuiteId;
  readonly generation: Uint8Array;
  readonly secret: Uint8Array;
  readonly label: string | null;
  readonly importCheck: Uint8Array | null;
}

export function areCommits(operations: readonly Operation[]): operations is readonly CommitOperation[] {
  return operations.every(({ kind }) => kind === "commit");
}

export type OperationResult =
  /** With the rows as the operation left them; none for a commit or a removal. */
  | { readonly result: "done"; readonly rows: readonly InfoRow[] }
  | { readonly result: "lost" }
  | { readonly result: "rewrapped"; readonly rows: number }
  | { readonly result: "unknown-client" }
  | { readonly result: "already-enrolled"; readonly clientId: ClientId }
  | { readonly result: "already-imported"; readonly clientId: ClientId }
  | { readonly result: "cap"; readonly enrolled: number; readonly wanted: number; readonly cap: number };

export function done(rows: readonly InfoRow[]): OperationResult {
  return { result: "done", rows };
}

/** Of what leaves no rows. */
export const DONE: OperationResult = done([]);

/** Every secret that an operation carries: to hand over on one side, to overwrite on the other. */
export function secretsOf(operation: Operation): readonly Uint8Array[] {
  switch (operation.kind) {
    case "commit":
      return [operation.next.secret];
    case "reissue":
      return [operation.secret];
    case "add":
    case "import":
      return operation.clients.map((client) => client.secret);
    default:
      return [];
  }
}
