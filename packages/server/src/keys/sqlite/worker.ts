import { parentPort, workerData } from "node:worker_threads";
import { wipe } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { messageOf } from "../message-of.ts";
import { unpackCommits } from "../packed-commits.ts";
import { Keyring, MissingDbKeyError } from "../wrapping.ts";
import { openWriter } from "./connection.ts";
import {
  DONE,
  type FromWriter,
  type Operation,
  secretsOf,
  type ToWriter,
  type WriterData,
} from "./messages.ts";
import { Writer } from "./writer.ts";

/**
 * The thread that writes (see thread.ts). While it waits for the disk, operations gather on the event loop, and
 * the next batch takes them all.
 */

/** How long a secret that was replaced may stay in the write-ahead log, in milliseconds. */
const LOG_LIFE_MS = 1_000;

const port = parentPort;
if (port === null) throw new Error("worker is started by openSqliteStore, as a thread");
const data = workerData as WriterData;
const { path, actor } = data;

let due: NodeJS.Timeout | null = null;
/** A batch that waits for a db key. */
let held: readonly Operation[] | null = null;

function say(message: FromWriter): void {
  port?.postMessage(message);
}

function serve(writer: Writer, message: ToWriter): void {
  switch (message.type) {
    case "write":
      say(write(writer, message.operations, false));
      break;
    case "commit":
      say(write(writer, unpackCommits(message.commits), false));
      break;
    case "keys": {
      const operations = held;
      held = null;
      const keyring = attempt(() => new Keyring(message.keys));
      wipe(...message.keys);
      if (keyring !== null) writer.useKeyring(keyring);
      if (operations !== null) say(write(writer, operations, true));
      break;
    }
    case "copy":
      say({ type: "copied", error: errorOf(() => writer.copyTo(message.path)) });
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

function write(writer: Writer, operations: readonly Operation[], again: boolean): FromWriter {
  try {
    const results = writer.write(operations);
    scheduleCheckpoint(writer);
    // Nearly always: a word is sooner said than a list of them.
    return { type: "written", results: results.every((one) => one === DONE) ? null : results };
  } catch (error) {
    if (error instanceof MissingDbKeyError && !again) {
      held = operations;
      return { type: "missing-key" };
    }
    for (const operation of operations) wipe(...secretsOf(operation));
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

function errorOf(action: () => void): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

try {
  const keyring = new Keyring(data.keys);
  wipe(...data.keys);
  const opener = { ...data, keyring, random: systemRandom, now: Date.now() };
  const writer = new Writer(await openWriter(path, data.create, opener), path, {
    keyring,
    random: systemRandom,
    actor,
  });
  // A process that ended without close() left replaced secrets in the log.
  attempt(() => writer.checkpoint());
  port.on("message", (message: ToWriter) => serve(writer, message));
  say({ type: "open" });
} catch (error) {
  say({ type: "refused", message: messageOf(error) });
}
