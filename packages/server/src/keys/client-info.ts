import type { Accepted, ClientId, Epoch, Suite } from "@pawl/protocol";

/** A client without its secret: what may be shown. */
export interface ClientInfo {
  readonly clientId: ClientId;
  readonly suite: Suite;
  readonly generation: bigint;
  readonly epoch: Epoch;
  readonly window: number;
  readonly accepted: Accepted | null;
  readonly label: string | null;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** When the epoch last moved, enrolled and reissued included; milliseconds since 1970. */
  readonly moved: number;
  /** Of the last committed first packet, milliseconds since 1970; null: never. */
  readonly lastSeen: number | null;
  /** Null: not revoked. */
  readonly revoked: { readonly at: number; readonly reason: string } | null;
}

/** What a backup of one client has. The generation is drawn anew where it is imported. */
export interface ExportedClient extends Omit<ClientInfo, "generation" | "window"> {
  /** `E_epoch` (32 bytes); in classic the base key. The reader's own copy, to be overwritten after use. */
  readonly secret: Uint8Array;
}
