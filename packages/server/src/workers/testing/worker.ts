import { once } from "node:events";
import { connect } from "node:net";
import { createMemoryStore } from "../../keys/index.ts";
import { runWorker } from "../run-worker.ts";

/** What a worker for tests is told. */
export interface TestWorkerData {
  /** Why it does not start; null: it does. */
  readonly failure: string | null;
  /** The port of a gate that it passes before it starts; null: at once. */
  readonly gate: number | null;
  /** The same for the end: before its key database is closed, which it says on stdout. Null: it is closed without a word. */
  readonly endGate: number | null;
}

/** It echoes. */
runWorker(async (data) => {
  const { failure, gate, endGate } = data as TestWorkerData;
  await pass(gate);
  if (failure !== null) throw new Error(failure);
  const keys = createMemoryStore();
  if (endGate !== null) {
    const close = keys.close.bind(keys);
    keys.close = async () => {
      await pass(endGate);
      await close();
      process.stdout.write(`${JSON.stringify({ type: "keys-closed" })}\n`);
    };
  }
  return { records: keys, onMessage: (_session, message) => message };
});

/** Waits until the gate closes the connection. */
async function pass(gate: number | null): Promise<void> {
  if (gate !== null) await once(connect(gate, "127.0.0.1").resume(), "close");
}
