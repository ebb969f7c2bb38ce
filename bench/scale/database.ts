import { join } from "node:path";
import { type KeyStore, openSqliteStore } from "@pawl/server/keys";

/** Where the key database of a server is, and what opens it: all of its processes do. As JSON has it. */
export interface Database {
  /** On a disk. */
  readonly folder: string;
  readonly dbKey: readonly number[];
}

/** As `pawl init` and `pawl serve` have it: every commit is synced, every secret wrapped. */
export function openDatabase({ folder, dbKey }: Database, create: boolean): Promise<KeyStore> {
  return openSqliteStore({
    path: join(folder, "keys.db"),
    create,
    dbKeys: async () => [Uint8Array.from(dbKey)],
  });
}
