import { join } from "node:path";
import { type KeyStore, openSqliteRecords, openSqliteStore, type RecordSource } from "@pawl/server/keys";

/** Where the key database of a server is, and what opens it: all of its processes do. As JSON has it. */
export interface Database {
  /** On a disk. */
  readonly folder: string;
  readonly dbKey: readonly number[];
}

/** As `pawl init` and `pawl serve` have it: every commit is synced, every secret wrapped. */
export function createDatabase(database: Database): Promise<KeyStore> {
  return openSqliteStore({ create: true, ...placeOf(database) });
}

/** What a worker reads. */
export function openRecords(database: Database): Promise<RecordSource> {
  return openSqliteRecords(placeOf(database));
}

function placeOf({ folder, dbKey }: Database) {
  return { path: join(folder, "keys.db"), dbKeys: async () => [Uint8Array.from(dbKey)] };
}
