import { LocalError, type TerminateReason } from "@pawl/protocol";

/** The credential cannot be used as it is. `path` is its file, null for one that is none. */
export abstract class CredentialError extends LocalError {
  readonly path: string | null;

  constructor(path: string | null, message: string, options?: ErrorOptions) {
    super(path === null ? message : `${path}: ${message}`, options);
    this.path = path;
  }
}

export class CredentialMissingError extends CredentialError {
  readonly code = "PAWL_CREDENTIAL_MISSING";
}
/** Not JSON, or a field is missing or wrong. */
export class CredentialFormatError extends CredentialError {
  readonly code = "PAWL_CREDENTIAL_FORMAT";
}
/** Others may read it. */
export class CredentialReadableError extends CredentialError {
  readonly code = "PAWL_CREDENTIAL_READABLE";
}
/** Another process uses it. */
export class CredentialLockedError extends CredentialError {
  readonly code = "PAWL_CREDENTIAL_LOCKED";
}
/** Somebody else moved it forward: another secret was found where this session's was. Nothing was written. */
export class CredentialChangedError extends CredentialError {
  readonly code = "PAWL_CREDENTIAL_CHANGED";
}
/** It cannot be read or written: permissions, a full disk, an I/O error. Nothing was sent at its next epoch. */
export class CredentialStorageError extends CredentialError {
  readonly code = "PAWL_CREDENTIAL_STORAGE";
}

/** No connection to the server: nothing was sent. */
export class ConnectError extends LocalError {
  readonly code = "PAWL_CONNECT";
  /** The system's word for it: `ECONNREFUSED`, …, `TIMEOUT`, `ABORTED`. */
  readonly reason: string;

  constructor(address: string, reason: string, options?: ErrorOptions) {
    super(`cannot reach ${address}: ${HINTS[reason] ?? reason}`, options);
    this.reason = reason;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there; is the server running, and is the port right?",
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "the name could not be looked up; try again",
  EHOSTUNREACH: "no route to that host",
  ENETUNREACH: "no route to that network",
  ETIMEDOUT: "it does not answer",
  TIMEOUT: "it does not answer in time",
  ABORTED: "interrupted",
};

/**
 * The server closed the connection in silence during the handshake. It never says why: the client may be unknown or
 * revoked there, hold another key, or be behind (a restored or copied credential); or limits were reached.
 */
export class HandshakeRefusedError extends LocalError {
  readonly code = "PAWL_HANDSHAKE_REFUSED";

  constructor(options?: ErrorOptions) {
    super(
      "the server closed the connection without a word: this client may be unknown or revoked there, its key another one, " +
        "or its credential an old copy; the server's log says which. If it stays so, ask the operator to reissue it",
      options,
    );
  }
}

/** The server did not answer the handshake in time. */
export class HandshakeTimeoutError extends LocalError {
  readonly code = "PAWL_HANDSHAKE_TIMEOUT";

  constructor(ms: number) {
    super(`the server did not complete the handshake within ${ms} ms`);
  }
}

/** The session is over. `cause` holds the violation, where it was one. */
export class SessionEndedError extends LocalError {
  readonly code = "PAWL_SESSION_ENDED";
  /** What TERMINATE said; null where there was none. */
  readonly reason: TerminateReason | null;
  /** A message was outstanding, and may or may not have counted: sending it again may count it twice. */
  readonly mayHaveCounted: boolean;

  constructor(what: string, reason: TerminateReason | null, mayHaveCounted: boolean, options?: ErrorOptions) {
    super(
      mayHaveCounted ? `${what}; the message that was outstanding may or may not have counted` : what,
      options,
    );
    this.reason = reason;
    this.mayHaveCounted = mayHaveCounted;
  }
}

/** The answer did not come in time. The session has been ended. */
export class ReplyTimeoutError extends LocalError {
  readonly code = "PAWL_REPLY_TIMEOUT";
  readonly mayHaveCounted = true;

  constructor(ms: number) {
    super(`no answer within ${ms} ms; the message may or may not have counted`);
  }
}

/** `send` is for rounds; the server's answer is not that of a round. The session goes on; `request` takes any answer. */
export class ReplyFormatError extends LocalError {
  readonly code = "PAWL_REPLY_FORMAT";
}

/** An option of `connect` that cannot be. */
export class ConnectOptionError extends LocalError {
  readonly code = "PAWL_CONNECT_OPTION";
}
