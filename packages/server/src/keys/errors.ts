import { type ClientId, LocalError } from "@pawl/protocol";

export class AlreadyEnrolledError extends LocalError {
  readonly code = "PAWL_ALREADY_ENROLLED";
  readonly clientId: ClientId;

  constructor(clientId: ClientId) {
    super(`client ${clientId} is enrolled already; choose another id, or reissue it`);
    this.clientId = clientId;
  }
}

export class UnknownClientError extends LocalError {
  readonly code = "PAWL_UNKNOWN_CLIENT";
  readonly clientId: ClientId;

  constructor(clientId: ClientId) {
    super(`client ${clientId} is not enrolled; see pawl keys list`);
    this.clientId = clientId;
  }
}

export class ClientCapError extends LocalError {
  readonly code = "PAWL_CLIENT_CAP";

  constructor(enrolled: number, wanted: number, cap: number) {
    super(
      `${enrolled} clients are enrolled and ${wanted} more would pass the cap of ${cap}; raise it with --max-clients`,
    );
  }
}

/** Section 4.2: who could import a key twice could set a client's secret back. */
export class PskAlreadyImportedError extends LocalError {
  readonly code = "PAWL_PSK_ALREADY_IMPORTED";

  constructor(clientId: ClientId) {
    super(
      `this pre-shared key was imported for client ${clientId} with this enrolment already; raise the enrolment`,
    );
  }
}

/** The store cannot be used: damaged, of a newer version, not writable, its settings not in force. */
export class StoreError extends LocalError {
  readonly code = "PAWL_STORE";
}
