/** @pawl/client. What is not exported here is not public. */
export type { Aggregate } from "./aggregate.ts";
export { type ConnectOptions, connect, DEFAULT_PORT, parseAddress } from "./connect.ts";
export type { EndInfo, PawlConnection } from "./connection.ts";
export { type Credential, parseCredential, serializeCredential } from "./credential.ts";
export { type CredentialFileOptions, credentialFile, writeCredentialFile } from "./credential-file.ts";
export { type CredentialStore, memoryCredential, type StoredSecret } from "./credential-store.ts";
export * from "./errors.ts";
export { type BackoffOptions, connectWithBackoff, type ReconnectingClient } from "./reconnect.ts";
