import type { ClientRecord } from "./client-record.ts";
import type { FrameError } from "./errors.ts";
import type { PaddingPolicy } from "./padding.ts";
import type { TerminateReason } from "./reasons.ts";

/**
 * What goes into a session: two closed unions, one for each role. Randomness comes in with the event that may need it:
 * `iv` is 16 fresh random bytes (suite 3 takes the first 12), `nonce` 32 (classic takes the first 16).
 * A session that waits for an answer (look-up, derivation, commit) takes nothing but that answer and `abort`: a driver
 * does not read from the connection meanwhile and keeps deadlines and calls until the answer is there.
 */

/** A whole packet, without its length. The session may keep views of it: do not reuse the memory. */
export interface PacketEvent {
  readonly type: "packet";
  /** Taken over: it may be decrypted where it lies, and a message that is delivered may be a view of it. */
  readonly packet: Uint8Array;
}
/** The frame reader met a length that `frameLimit` forbids. */
export interface FrameErrorEvent {
  readonly type: "frame-error";
  readonly error: FrameError;
}
/** The stream ended, in whatever way (FIN, RST, in mid-frame). */
export interface EndOfStreamEvent {
  readonly type: "end-of-stream";
}
/** Drop everything and overwrite the keys, sending nothing. Legal in every state. */
export interface AbortEvent {
  readonly type: "abort";
}
/** End the session properly, where the suite and the state have a TERMINATE; else it just ends. */
export interface TerminateEvent {
  readonly type: "terminate";
  readonly reason: TerminateReason;
  readonly iv: Uint8Array;
}

export type ClientEvent =
  | { readonly type: "start"; readonly nonce: Uint8Array; readonly iv: Uint8Array }
  | PacketEvent
  | FrameErrorEvent
  | EndOfStreamEvent
  /** Answers the effect `commit`. Anything but `done` ends the session with nothing sent. */
  | { readonly type: "committed"; readonly outcome: "done" | "lost" | "unknown" }
  /** One DATA. Legal when none is outstanding. */
  | {
      readonly type: "send";
      readonly message: Uint8Array;
      readonly kind: "message" | "cover";
      readonly iv: Uint8Array;
      readonly padding?: PaddingPolicy;
    }
  | TerminateEvent
  | AbortEvent;

export type ServerEvent =
  | PacketEvent
  | FrameErrorEvent
  | EndOfStreamEvent
  /** Answers `look-up`. `record` null: unknown. `live`: a session of this client is live (classic refuses then). */
  | {
      readonly type: "found";
      readonly record: ClientRecord | null;
      readonly live: boolean;
      readonly nonce: Uint8Array;
      readonly iv: Uint8Array;
    }
  /** Answers `derive`: the epoch secret `steps` epochs on. */
  | {
      readonly type: "derived";
      readonly secret: Uint8Array;
      readonly nonce: Uint8Array;
      readonly iv: Uint8Array;
    }
  /** Answers `commit`. `lost`: the compare-and-set found another record, `current`. `unknown`: it may have been applied. */
  | {
      readonly type: "committed";
      readonly outcome: "done" | "unknown";
      readonly nonce: Uint8Array;
      readonly iv: Uint8Array;
    }
  | {
      readonly type: "committed";
      readonly outcome: "lost";
      readonly current: ClientRecord | null;
      readonly nonce: Uint8Array;
      readonly iv: Uint8Array;
    }
  /** The client's stored epoch or generation has moved: a half-open session forgets the secret of the next epoch. */
  | { readonly type: "epoch-moved" }
  /** The deadline that the last `set-deadline` asked for has passed. */
  | { readonly type: "deadline" }
  /** The AGGREGATE for the DATA that is being answered. */
  | {
      readonly type: "answer";
      readonly message: Uint8Array;
      readonly iv: Uint8Array;
      readonly padding?: PaddingPolicy;
    }
  | TerminateEvent
  | AbortEvent;
