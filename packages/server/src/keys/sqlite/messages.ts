import type { Accepted, ClientId, SuiteId } from "@pawl/protocol";
import type { Commit } from "../store.ts";
import type { InfoRow } from "./rows.ts";

/** What the event loop and the writer's thread say to each other. Secrets are handed over, not copied. */
export type ToWriter =
  | { readonly type: "write"; readonly operations: readonly Operation[] }
  | { readonly type: "version" }
  | { readonly type: "close" };

export type FromWriter =
  | { readonly type: "open" }
  | { readonly type: "refused"; readonly message: string }
  /** One for each operation of the batch, in order, durable. */
  | { readonly type: "written"; readonly results: readonly OperationResult[] }
  | { readonly type: "failed"; readonly message: string }
  /** Another number than before: another connection has written. Null: not known now. */
  | { readonly type: "version"; readonly version: number | null };

/** What the thread starts with. */
export interface WriterData {
  readonly path: string;
  readonly create: boolean;
}

/** Times are milliseconds since 1970; generations are drawn by the event loop, 8 bytes. */
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
    }
  | { readonly kind: "remove"; readonly clientId: ClientId }
  | { readonly kind: "rename"; readonly clientId: ClientId; readonly label: string | null };

export interface CommitOperation {
  readonly kind: "commit";
  readonly clientId: ClientId;
  readonly generation: Uint8Array;
  readonly expectedEpoch: Commit["expected"]["epoch"];
  readonly epoch: Commit["next"]["epoch"];
  readonly secret: Uint8Array;
  readonly accepted: Accepted | null;
  readonly at: number;
}

export interface AddOperation {
  readonly kind: "add";
  readonly clients: readonly AddedClient[];
  readonly maxClients: number | null;
  readonly at: number;
}

export interface AddedClient {
  readonly clientId: ClientId;
  readonly suite: SuiteId;
  readonly generation: Uint8Array;
  readonly secret: Uint8Array;
  readonly label: string | null;
  readonly importCheck: Uint8Array | null;
}

export type OperationResult =
  /** With the rows as the operation left them; none for a commit or a removal. */
  | { readonly result: "done"; readonly rows: readonly InfoRow[] }
  | { readonly result: "lost" }
  | { readonly result: "unknown-client" }
  | { readonly result: "already-enrolled"; readonly clientId: ClientId }
  | { readonly result: "already-imported"; readonly clientId: ClientId }
  | { readonly result: "cap"; readonly enrolled: number; readonly wanted: number; readonly cap: number };

/** Every secret that an operation carries: to hand over on one side, to overwrite on the other. */
export function secretsOf(operation: Operation): readonly Uint8Array[] {
  switch (operation.kind) {
    case "commit":
    case "reissue":
      return [operation.secret];
    case "add":
      return operation.clients.map((client) => client.secret);
    default:
      return [];
  }
}
