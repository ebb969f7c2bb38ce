import type { ClientId, Epoch } from "./bytes.ts";
import type { Suite } from "./suites.ts";

/** Section 4.5: the last session whose first packet was committed. */
export interface Accepted {
  readonly epoch: Epoch;
  /** The first 16 bytes of `T`. */
  readonly t: Uint8Array;
}

/** What a server's session needs to know of a client (section 4.5); a key store keeps more beside it. */
export interface ClientRecord {
  readonly clientId: ClientId;
  readonly suite: Suite;
  /** 64 random bits, drawn anew at each add, import, reissue, revoke and restore. */
  readonly generation: bigint;
  /** 0 in classic. */
  readonly epoch: Epoch;
  /** `E_epoch`, 32 bytes; in classic the base key. The reader's own copy, to be overwritten after use. */
  readonly secret: Uint8Array;
  readonly accepted: Accepted | null;
  /** How far ahead a HELLO may be. */
  readonly window: number;
  readonly revoked: boolean;
}
