import { runWorker } from "@pawl/server";
import { type Database, openRecords } from "./database.ts";
import { tellUsage } from "./worker-usage.ts";

/** A worker of the server. */

runWorker(async (data, worker) => {
  // As `server-process.ts` sent it.
  const database = data as Database;
  await tellUsage(database.folder, worker);
  return { records: await openRecords(database) };
});
