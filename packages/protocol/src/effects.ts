import type { ClientId, Epoch, Round } from "./bytes.ts";
import type { Accepted } from "./client-record.ts";
import type { PawlError } from "./errors.ts";
import type { TerminateReason } from "./reasons.ts";
import type { Suite } from "./suites.ts";

/**
 * What comes out of a session: two closed unions. A driver carries effects out in order, and an effect that awaits an
 * answer (`look-up`, `derive`, `commit`) is always the last of its list.
 */

/** Write these bytes: length and packet. Never kept by the session. */
export interface SendEffect {
  readonly type: "send";
  readonly frame: Uint8Array;
}

/** Why a session ended. */
export type EndCause =
  /** The peer or an attacker broke a rule. Close at once, send nothing. */
  | { readonly kind: "violation"; readonly error: PawlError }
  /** A TERMINATE was sent or received. Half-close and drain for a bounded time. */
  | { readonly kind: "terminated"; readonly by: "local" | "peer"; readonly reason: TerminateReason }
  /** The stream ended where that is clean: classic, before HELLO, after a TERMINATE. */
  | { readonly kind: "end-of-stream" }
  /** HELLO or the first packet did not come in time. Close in silence. */
  | { readonly kind: "deadline" }
  /** A compare-and-set lost where nothing may be said (HELLO lost twice, the first packet was a TERMINATE). */
  | { readonly kind: "lost" }
  /** `abort`, or a `terminate` where the state or the suite has no TERMINATE to send. Close in silence. */
  | { readonly kind: "aborted" }
  /** The client's own commit did not succeed. Close in silence. */
  | { readonly kind: "commit-failed"; readonly outcome: "lost" | "unknown" };

/** Always the last effect of a session but for what a terminated one ignores. Keys have been overwritten. */
export interface EndEffect {
  readonly type: "end";
  readonly cause: EndCause;
}

export type ClientEffect =
  | SendEffect
  /**
   * Store `next` in place of `expected`, durably, as a compare-and-set on the stored secret, before anything more is
   * sent (section 4.5.1). Both secrets are the driver's to overwrite when it is done.
   */
  | {
      readonly type: "commit";
      readonly expected: { readonly epoch: Epoch; readonly secret: Uint8Array };
      readonly next: { readonly epoch: Epoch; readonly secret: Uint8Array; readonly last: Uint8Array };
    }
  /** The session may send. `maxMessage` is the server's, in bytes. */
  | { readonly type: "ready"; readonly maxMessage: number }
  /** The AGGREGATE of the outstanding DATA. */
  | { readonly type: "deliver"; readonly round: Round; readonly message: Uint8Array }
  | EndEffect;

export type ServerEffect =
  | SendEffect
  /** Read the client's record, and answer with `found`. `epoch` is what the packet claims, verified or not. */
  | { readonly type: "look-up"; readonly clientId: ClientId; readonly suite: Suite; readonly epoch: Epoch }
  /** Derive the epoch secret `steps` (> 256) epochs on from `secret`, off the event loop; answer with `derived`. */
  | {
      readonly type: "derive";
      readonly suite: Suite;
      readonly clientId: ClientId;
      readonly from: Epoch;
      readonly to: Epoch;
      readonly secret: Uint8Array;
    }
  /**
   * Store `next` if the record still has this generation and epoch; durable before `committed` says `done`.
   * `accepted` goes with a first packet and also sets the window back to 64; a catch-up has none and leaves both.
   */
  | {
      readonly type: "commit";
      readonly clientId: ClientId;
      readonly suite: Suite;
      readonly expected: { readonly generation: bigint; readonly epoch: Epoch };
      readonly next: { readonly epoch: Epoch; readonly secret: Uint8Array };
      readonly accepted: Accepted | null;
    }
  /** Replace the deadline: the first packet has to come within `FIRST_PACKET_DEADLINE_MS`, or none is needed more. */
  | { readonly type: "set-deadline"; readonly deadline: "first-packet" | "none" }
  /**
   * The client has proved that it is live in this session, and the proof is durable: every other live session of it
   * at a lower epoch ends (superseded), half-open ones learn `epoch-moved`.
   */
  | { readonly type: "live"; readonly clientId: ClientId; readonly epoch: Epoch; readonly suite: Suite }
  /** A verified DATA, to be answered with `answer`. `kind` cover: no contribution, message to be ignored. */
  | {
      readonly type: "deliver";
      readonly round: Round;
      readonly message: Uint8Array;
      readonly kind: "message" | "cover";
    }
  /** Unauthenticated: a HELLO behind the server came from somebody. */
  | {
      readonly type: "stale-epoch";
      readonly clientId: ClientId;
      readonly epoch: Epoch;
      readonly stored: Epoch;
    }
  /** Authentic: two holders of one secret exist. `epoch` is that of the session that shows it, `stored` the record's then. */
  | {
      readonly type: "clone-detected";
      readonly clientId: ClientId;
      readonly epoch: Epoch;
      readonly stored: Epoch;
    }
  | EndEffect;
