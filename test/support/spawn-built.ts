import { Worker } from "node:worker_threads";
import type { WriterData } from "../../packages/server/src/keys/sqlite/messages.ts";

/**
 * Stands in for `sqlite/spawn.ts` where tests run: the thread that writes, from the build. It starts in a fifth of the time,
 * and on Node.js 24 a thread that reads TypeScript now and then ends its process with a segmentation fault, in V8, while
 * the code of the type stripper is freed.
 */
export function spawnWriter(workerData: WriterData): Worker {
  const script = new URL("../../packages/server/dist/keys/sqlite/worker.js", import.meta.url);
  return new Worker(script, { workerData, name: "pawl key database", execArgv: [] });
}
