import { createMemoryStore } from "../../keys/index.ts";
import { createWorkers } from "../primary.ts";
import type { TestWorkerData } from "./worker.ts";

/** A primary that a test may kill: `primary.ts DATA` has one worker with that data; both print what happens. */

const server = createWorkers({
  keys: createMemoryStore(),
  workers: 1,
  // A connection that says nothing stays until somebody drops it.
  limits: { helloDeadlineMs: 600_000 },
  script: new URL("./worker.ts", import.meta.url),
  // As a test wrote it.
  data: JSON.parse(process.argv[2] ?? "") as TestWorkerData,
});
server.events.onAny((event) => process.stdout.write(`${JSON.stringify(event)}\n`));
await server.listen({ port: 0 });
