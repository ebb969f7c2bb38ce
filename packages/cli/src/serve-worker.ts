import { runWorker } from "@pawl/server";
import { openSqliteRecords } from "@pawl/server/keys";
import { dbKeySource } from "./db-key-source.ts";
import type { Settings } from "./settings.ts";

/** What a worker of `pawl serve` is told. No key is in it: the worker gets the db key from where its primary does. */
export interface ServeWorkerData extends Pick<Settings, "dbKeyFile" | "dbKeyCommand"> {
  readonly home: string;
  readonly database: string;
}

runWorker(async (data) => {
  // As `pawl serve` sent it, from the same build.
  const { home, database, ...settings } = data as ServeWorkerData;
  const { load } = dbKeySource(settings, process.env, home);
  return { records: await openSqliteRecords({ path: database, dbKeys: load }) };
});
