import { once } from "node:events";
import { connect } from "node:net";
import { createMemoryStore } from "../../keys/index.ts";
import { runWorker } from "../run-worker.ts";

/** What a worker for tests is told. */
export interface TestWorkerData {
  /** Why it does not start; null: it does. */
  readonly failure: string | null;
  /** A port of this machine: it starts when that has closed its connection. Null: at once. */
  readonly gate: number | null;
}

/** It echoes. */
runWorker(async (data) => {
  const { failure, gate } = data as TestWorkerData;
  if (gate !== null) await once(connect(gate, "127.0.0.1").resume(), "close");
  if (failure !== null) throw new Error(failure);
  return { keys: createMemoryStore(), onMessage: (_session, message) => message };
});
