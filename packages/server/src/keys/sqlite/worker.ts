import { parentPort, workerData } from "node:worker_threads";
import { openWriter } from "./connection.ts";
import type { FromWriter, ToWriter, WriterData } from "./messages.ts";
import { Writer } from "./writer.ts";

/**
 * The thread that writes (see thread.ts). While it waits for the disk, operations gather on the event loop, and
 * the next batch takes them all.
 */

/** How long a secret that was replaced may stay in the write-ahead log, in milliseconds. */
const LOG_LIFE_MS = 1_000;

const port = parentPort;
if (port === null) throw new Error("worker is started by openSqliteStore, as a thread");
const { path, create } = workerData as WriterData;

let due: NodeJS.Timeout | null = null;

function say(message: FromWriter): void {
  port?.postMessage(message);
}

function serve(writer: Writer, message: ToWriter): void {
  switch (message.type) {
    case "write":
      say(write(writer, message));
      break;
    case "version":
      say({ type: "version", version: attempt(() => writer.version()) });
      break;
    case "close":
      if (due !== null) clearTimeout(due);
      attempt(() => writer.checkpoint());
      writer.close();
      port?.close();
      break;
    default:
      message satisfies never;
  }
}

function write(writer: Writer, { operations }: Extract<ToWriter, { type: "write" }>): FromWriter {
  try {
    const results = writer.write(operations);
    scheduleCheckpoint(writer);
    return { type: "written", results };
  } catch (error) {
    return { type: "failed", message: messageOf(error) };
  }
}

function scheduleCheckpoint(writer: Writer): void {
  due ??= setTimeout(() => {
    due = null;
    if (attempt(() => writer.checkpoint()) !== true) scheduleCheckpoint(writer);
  }, LOG_LIFE_MS);
}

/** For what is tried again, or matters no more. */
function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  const writer = new Writer(await openWriter(path, create), path);
  // A process that ended without close() left replaced secrets in the log.
  attempt(() => writer.checkpoint());
  port.on("message", (message: ToWriter) => serve(writer, message));
  say({ type: "open" });
} catch (error) {
  say({ type: "refused", message: messageOf(error) });
}
