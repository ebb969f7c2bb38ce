// biome-ignore lint/style/noRestrictedImports: it starts no thread, and keeps memory out of their hands.
import { markAsUntransferable } from "node:worker_threads";

/**
 * More than one has a part of this memory: who handed a part to a thread would take those of the others along. As with the pool
 * of Node.js itself, it is copied instead, or from Node.js 21 on refused.
 */
export function keepFromThreads({ buffer }: Uint8Array): void {
  markAsUntransferable(buffer);
}
