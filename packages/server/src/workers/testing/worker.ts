import { createMemoryStore } from "../../keys/index.ts";
import { runWorker } from "../run-worker.ts";

/** A worker for tests: fails to start as its data says, and echoes. */
runWorker(async (data) => {
  const { failure } = data as { failure: string | null };
  if (failure !== null) throw new Error(failure);
  return { keys: createMemoryStore(), onMessage: (_session, message) => message };
});
