import type { Worker } from "node:worker_threads";
import { wipe } from "@pawl/protocol";
import { StoreError } from "../errors.ts";
import { packCommits } from "../packed-commits.ts";
import { storeClosed } from "../store-closed.ts";
import {
  areCommits,
  DONE,
  type FromWriter,
  type Operation,
  type OperationResult,
  secretsOf,
  type ToWriter,
  type WriterData,
} from "./messages.ts";
import { spawnWriter } from "./spawn.ts";

/** Operations in one transaction: bounds how long the first of a burst waits for the last. */
export const MAX_BATCH = 512;

/** How often operations shared a transaction, and so a sync of the disk. */
export interface WriterStats {
  /** Transactions that were committed. */
  readonly transactions: number;
  /** Operations in them. */
  readonly operations: number;
  /** The most operations in one. */
  readonly largestBatch: number;
}

interface Waiting {
  readonly operation: Operation;
  readonly resolve: (result: OperationResult) => void;
  readonly reject: (error: StoreError) => void;
}

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: StoreError) => void;
}

/**
 * The event loop's side of the thread that writes. One batch is on its way at a time; what is submitted meanwhile makes
 * up the next (group commit). The thread keeps the process alive only while an operation is under way.
 */
export class WriterThread {
  readonly #worker: Worker;
  /** The db keys as they are now, for a thread that lacks the one that the database has moved to. */
  readonly #loadKeys: () => Promise<readonly Uint8Array[]>;
  readonly #waiting: Waiting[] = [];
  #underWay: readonly Waiting[] = [];
  #versionWaiters: Waiter<number | null>[] = [];
  #copyWaiters: Waiter<void>[] = [];
  #sending = false;
  #failure: StoreError | null = null;
  #closing: Promise<void> | null = null;
  #stats: WriterStats = { transactions: 0, operations: 0, largestBatch: 0 };

  /** Starts the thread, which opens the database. @throws StoreError */
  static async start(
    data: WriterData,
    loadKeys: () => Promise<readonly Uint8Array[]>,
  ): Promise<WriterThread> {
    const worker = spawnWriter(data);
    const first = await firstMessage(worker);
    if (first.type === "open") return new WriterThread(worker, loadKeys);
    await worker.terminate();
    throw new StoreError(first.type === "refused" ? first.message : `unexpected answer ${first.type}`);
  }

  /** Takes over a thread that has said `open`. */
  constructor(worker: Worker, loadKeys: () => Promise<readonly Uint8Array[]> = async () => []) {
    this.#worker = worker;
    this.#loadKeys = loadKeys;
    worker.on("message", (message: FromWriter) => this.#receive(message));
    worker.on("error", (cause) => this.#fail("stopped by an error; restart the process", cause));
    worker.on("exit", () => this.#fail("has ended; restart the process"));
    worker.unref();
  }

  get stats(): WriterStats {
    return this.#stats;
  }

  /** @throws StoreError as `submit` would. */
  checkUsable(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#closing !== null) throw storeClosed();
  }

  /**
   * Resolves when the operation is durable. Takes over its secrets: their buffers are handed to the thread.
   * @throws StoreError: the outcome is unknown.
   */
  submit(operation: Operation): Promise<OperationResult> {
    return new Promise((resolve, reject) => {
      try {
        this.checkUsable();
      } catch (error) {
        wipe(...secretsOf(operation));
        throw error;
      }
      this.#waiting.push({ operation, resolve, reject });
      this.#scheduleSend();
    });
  }

  /** Another number than before: another connection has written. Null: not known now. @throws StoreError */
  version(): Promise<number | null> {
    return new Promise((resolve, reject) => {
      this.checkUsable();
      this.#versionWaiters.push({ resolve, reject });
      this.#post({ type: "version" });
    });
  }

  /** A consistent copy of the database into the empty file `path`. Commits wait meanwhile. @throws StoreError */
  copyTo(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.checkUsable();
      this.#copyWaiters.push({ resolve, reject });
      this.#worker.ref();
      this.#post({ type: "copy", path });
    });
  }

  /** Lets what was submitted finish, then ends the thread. */
  close(): Promise<void> {
    this.#closing ??= this.#drainAndEnd();
    return this.#closing;
  }

  async #drainAndEnd(): Promise<void> {
    if (this.#failure !== null) return;
    const ended = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    this.#worker.ref();
    this.#scheduleSend();
    await ended;
  }

  /** After the caller's turn: what it submits at once travels together. */
  #scheduleSend(): void {
    if (this.#sending) return;
    this.#sending = true;
    this.#worker.ref();
    setImmediate(() => this.#send());
  }

  #send(): void {
    if (this.#failure !== null) return;
    this.#underWay = this.#waiting.splice(0, MAX_BATCH);
    if (this.#underWay.length > 0) {
      this.#postBatch(this.#underWay.map((one) => one.operation));
      return;
    }
    this.#sending = false;
    if (this.#closing === null) this.#rest();
    else this.#post({ type: "close" });
  }

  /** Nothing is under way: the process may end. */
  #rest(): void {
    if (this.#copyWaiters.length === 0) this.#worker.unref();
  }

  #postBatch(operations: readonly Operation[]): void {
    if (areCommits(operations)) {
      const commits = packCommits(operations);
      this.#post({ type: "commit", commits }, [commits]);
    } else {
      this.#post({ type: "write", operations }, operations.flatMap(secretsOf));
    }
  }

  #post(message: ToWriter, handOver: readonly Uint8Array[] = []): void {
    this.#worker.postMessage(
      message,
      handOver.map((bytes) => bytes.buffer as ArrayBuffer),
    );
  }

  #receive(message: FromWriter): void {
    switch (message.type) {
      case "written":
        this.#written(message.results);
        break;
      case "failed":
        this.#notWritten(new StoreError(message.message));
        break;
      case "missing-key":
        void this.#sendKeys();
        break;
      case "copied": {
        const waiter = this.#copyWaiters.shift();
        if (!this.#sending) this.#rest();
        if (message.error === null) waiter?.resolve();
        else waiter?.reject(new StoreError(message.error));
        break;
      }
      case "version": {
        const waiters = this.#versionWaiters;
        this.#versionWaiters = [];
        for (const waiter of waiters) waiter.resolve(message.version);
        break;
      }
      case "open":
      case "refused":
        this.#fail(`said ${message.type} out of turn; restart the process`);
        break;
      default:
        message satisfies never;
    }
  }

  async #sendKeys(): Promise<void> {
    // Without them the thread says which key it lacks.
    const keys = await this.#loadKeys().catch(() => []);
    if (this.#failure === null) this.#post({ type: "keys", keys });
    wipe(...keys);
  }

  #written(results: readonly OperationResult[] | null): void {
    const batch = this.#underWay;
    this.#stats = {
      transactions: this.#stats.transactions + 1,
      operations: this.#stats.operations + batch.length,
      largestBatch: Math.max(this.#stats.largestBatch, batch.length),
    };
    // The disk first: the callers go on while the next batch is written.
    this.#send();
    for (const [index, one] of batch.entries()) {
      const result = results === null ? DONE : results[index];
      if (result === undefined)
        one.reject(new StoreError("the thread that writes gave no answer; take it as lost"));
      else one.resolve(result);
    }
  }

  #notWritten(error: StoreError): void {
    const batch = this.#underWay;
    this.#send();
    for (const one of batch) one.reject(error);
  }

  #fail(what: string, cause?: unknown): void {
    if (this.#failure !== null) return;
    this.#failure =
      this.#closing !== null && cause === undefined && this.#underWay.length === 0
        ? storeClosed()
        : new StoreError(`the thread that writes the key database ${what}`, { cause });
    // The secrets of those under way were handed over.
    for (const { operation } of this.#waiting) wipe(...secretsOf(operation));
    const waiting = [
      ...this.#underWay,
      ...this.#waiting.splice(0),
      ...this.#versionWaiters,
      ...this.#copyWaiters,
    ];
    this.#underWay = [];
    this.#versionWaiters = [];
    this.#copyWaiters = [];
    for (const one of waiting) one.reject(this.#failure);
    void this.#worker.terminate();
  }
}

function firstMessage(worker: Worker): Promise<FromWriter> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown) => {
      reject(
        new StoreError("the thread that writes the key database did not start; see the cause", { cause }),
      );
    };
    const exited = (code: number) => refuse(new Error(`exit code ${code}`));
    worker.once("error", refuse);
    worker.once("exit", exited);
    worker.once("message", (message: FromWriter) => {
      worker.off("error", refuse);
      worker.off("exit", exited);
      resolve(message);
    });
  });
}
