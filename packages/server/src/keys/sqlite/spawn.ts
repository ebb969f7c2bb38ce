import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { WriterData } from "./messages.ts";

/** Starts the thread that writes, from what is built (`.js`) or from the sources (`.ts`), whichever runs here. */
export function spawnWriter(workerData: WriterData): Worker {
  const extension = extname(import.meta.url);
  const script = new URL(`./worker${extension}`, import.meta.url);
  const options = { workerData, name: "pawl key database" };
  if (extension !== ".ts" || "typescript" in process.features) return new Worker(script, options);
  // Only in development on Node 20: it reads no TypeScript by itself, and threads do not inherit the loader that does.
  const loader = import.meta.resolve("tsx/esm/api");
  const program = `import(${JSON.stringify(loader)}).then(({ register }) => {
    register();
    return import(${JSON.stringify(script.href)});
  });`;
  return new Worker(program, { ...options, eval: true });
}
