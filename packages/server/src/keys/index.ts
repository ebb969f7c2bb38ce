/** @pawl/server/keys: the key database. One interface, its stores, their errors. */
export * from "./errors.ts";
export { createMemoryStore, type MemoryStoreOptions } from "./memory.ts";
export { createClientSecret } from "./secret.ts";
export {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
  type SqliteStoreStats,
} from "./sqlite/store.ts";
export type {
  ClientInfo,
  Commit,
  CommitOutcome,
  KeyStore,
  NewClient,
  StoreChange,
} from "./store.ts";
