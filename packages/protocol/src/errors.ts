/**
 * Two families. A `ProtocolError` is the peer's doing (or that of whoever is in between): it ends the connection at
 * once, in silence, and its class is for the local side alone (section 1). A `LocalError` is ours: a call that is not
 * legal now, an argument that cannot be sent; it is never caused by what arrives, and changes nothing.
 * Each class has a stable `code`. No message holds a secret.
 */

export abstract class PawlError extends Error {
  /** Stable, for programs: `PAWL_HMAC`, … Documented in docs/PROTOCOL.md and docs/OPERATIONS.md. */
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The peer, or an attacker, did what section 1 forbids. */
export abstract class ProtocolError extends PawlError {}

/** Check 1: the length of a frame is outside what this state allows. */
export class FrameError extends ProtocolError {
  readonly code = "PAWL_FRAME";
}
/** Check 2 (header) and 9 (padding and inner plaintext). */
export class FormatError extends ProtocolError {
  readonly code = "PAWL_FORMAT";
}
/** Check 3: a packet of the direction that this side sends in. */
export class DirectionError extends ProtocolError {
  readonly code = "PAWL_DIRECTION";
}
/** Check 4: an opcode that this state does not take. */
export class UnexpectedOpcodeError extends ProtocolError {
  readonly code = "PAWL_UNEXPECTED_OPCODE";
}
/** `session`: not the client of this session; `live`: it has a live session in classic. */
export type IdentitySubject = "unknown" | "revoked" | "live" | "session";

/** Check 5: a client that is unknown or revoked, or not that of this session. */
export class IdentityError extends ProtocolError {
  readonly code = "PAWL_IDENTITY";
  readonly subject: IdentitySubject;

  constructor(message: string, subject: IdentitySubject = "session") {
    super(message);
    this.subject = subject;
  }
}
/** Check 5: another suite than the one pinned for this client. */
export class SuiteError extends ProtocolError {
  readonly code = "PAWL_SUITE";
}
/** Check 6. */
export class EpochError extends ProtocolError {
  readonly code = "PAWL_EPOCH";
}
/** Check 7: not the next round of this direction. */
export class DesyncError extends ProtocolError {
  readonly code = "PAWL_DESYNC";
}
/** Check 8: the tag (suite 3: the GCM tag) is wrong. */
export class HmacError extends ProtocolError {
  readonly code = "PAWL_HMAC";
}
/** Check 9: a CHALLENGE that answers another HELLO. */
export class FreshnessError extends ProtocolError {
  readonly code = "PAWL_FRESHNESS";
}
/** Section 2: the stream of a strict session ended without TERMINATE. */
export class TruncationError extends ProtocolError {
  readonly code = "PAWL_TRUNCATION";
}

/** Every class that a received byte can end a connection with, in the order of the checks. */
export const PROTOCOL_ERRORS = [
  FrameError,
  FormatError,
  DirectionError,
  UnexpectedOpcodeError,
  IdentityError,
  SuiteError,
  EpochError,
  DesyncError,
  HmacError,
  FreshnessError,
  TruncationError,
] as const;

/** This side's own mistake, or its own limit. */
export abstract class LocalError extends PawlError {}

/** A call or an event that the table of transitions does not have for this state. */
export class IllegalTransitionError extends LocalError {
  readonly code = "PAWL_ILLEGAL_TRANSITION";
}
/** A message longer than the session allows; nothing was sent. */
export class MessageTooLargeError extends LocalError {
  readonly code = "PAWL_MESSAGE_TOO_LARGE";
  readonly length: number;
  readonly limit: number;

  constructor(length: number, limit: number) {
    super(`a message of ${length} bytes is over the limit of ${limit} bytes here`);
    this.length = length;
    this.limit = limit;
  }
}
/** The last epoch: no HELLO is sent at it. The operator reissues the client. */
export class EpochExhaustedError extends LocalError {
  readonly code = "PAWL_EPOCH_EXHAUSTED";
}
/** A pre-shared key or other secret that must not be used. */
export class KeyError extends LocalError {
  readonly code = "PAWL_KEY";
}
/** `PAWL_CRYPTO` asks for what this machine does not have, or for nothing that is known. */
export class CryptoUnavailableError extends LocalError {
  readonly code = "PAWL_CRYPTO_UNAVAILABLE";
}
