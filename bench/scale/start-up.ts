import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createDbKey, openSqliteStore, writeDbKeyFile } from "@pawl/server/keys";
import { startServe } from "../command.ts";
import type { Sample } from "./cells.ts";
import { enrol } from "./credentials.ts";

/** How long `pawl serve` takes, as a process, until it listens. @param home made here; so many clients are enrolled in it */
export async function startUp(
  enrolled: number,
  repetitions: number,
  home: string,
  signal: AbortSignal,
): Promise<Sample[]> {
  await mkdir(home);
  const key = createDbKey();
  await writeDbKeyFile(join(home, "db.key"), [key]);
  const keys = await openSqliteStore({
    path: join(home, "keys.db"),
    create: true,
    dbKeys: async () => [key.slice()],
  });
  await enrol(keys, enrolled);
  await keys.close();
  const samples: Sample[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    samples.push({ "serve-start": (await startServe(home, signal)).ms });
  }
  return samples;
}
