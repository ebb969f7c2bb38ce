// The program of a worker, from the build, as a user of the library would write it.
import { runWorker } from "@pawl/server";
import { openSqliteRecords } from "@pawl/server/keys";

runWorker(async ({ path }, worker) => ({
  records: await openSqliteRecords({ path }),
  onMessage: (session, message) => `${worker} ${session.clientId} ${new TextDecoder().decode(message)}`,
}));
