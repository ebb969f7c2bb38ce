/** @pawl/protocol: the sans-IO core. What is not exported here is not public. */
export * from "./bytes.ts";
export { ClientSession, type ClientSessionOptions } from "./client.ts";
export type { Accepted, ClientRecord } from "./client-record.ts";
export { defaultCrypto } from "./crypto/default.ts";
export { nodeCrypto } from "./crypto/node.ts";
export type { CryptoProvider, RecordChain } from "./crypto/provider.ts";
export type { ClientEffect, EndCause, EndEffect, SendEffect, ServerEffect } from "./effects.ts";
export * from "./errors.ts";
export type { ClientEvent, PacketEvent, ServerEvent } from "./events.ts";
export { EpochSecret, importPsk } from "./key-schedule.ts";
export * from "./limits.ts";
export {
  type Content,
  formatPadding,
  type Kind,
  NO_PADDING,
  type PaddingPolicy,
  parsePadding,
} from "./padding.ts";
export { mayReconnect, reasonFromCode, TERMINATE_REASONS, type TerminateReason } from "./reasons.ts";
export { ServerSession, type ServerSessionOptions } from "./server.ts";
export * from "./suites.ts";
export { CLIENT_TRANSITIONS, type ClientState, SERVER_TRANSITIONS, type ServerState } from "./transitions.ts";
export * from "./wire.ts";
