/** @pawl/server/keys: the key database. One interface, its stores, their errors. */
export type { Alarm, AlarmKind, AlarmTally } from "./alarm.ts";
export { type AuditDetails, type AuditEntry, type AuditHead, type AuditKind, headText } from "./audit.ts";
export { createDbKey, parseDbKeys, readDbKeyFile, writeDbKeyFile } from "./db-key.ts";
export * from "./errors.ts";
export { createMemoryStore, type MemoryStoreOptions } from "./memory.ts";
export { type ExportContents, MIN_PASSPHRASE, openExport, sealExport } from "./sealed-export.ts";
export { createClientSecret } from "./secret.ts";
export { dbKeyIdOf, openSqliteRecords, openSqliteStore, type SqliteStoreOptions } from "./sqlite/open.ts";
export { type RestoreOptions, type RestoreReport, restoreSqliteStore } from "./sqlite/restore.ts";
export type { SqliteStore, SqliteStoreStats } from "./sqlite/store.ts";
export type {
  ClientInfo,
  Commit,
  CommitOutcome,
  ExportedClient,
  KeyStore,
  NewClient,
  RecordSource,
  StoreChange,
} from "./store.ts";
export type { Verification, VerifyOptions } from "./verify.ts";
export { DB_KEY_BYTES, dbKeyId, MissingDbKeyError } from "./wrapping.ts";
