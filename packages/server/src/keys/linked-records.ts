import type { ClientId, ClientRecord } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import { checkCommit } from "./commit.ts";
import { StoreError } from "./errors.ts";
import { type CommitOperation, commitOperation, packCommits } from "./packed-commits.ts";
import type { Commit, CommitOutcome, RecordSource, RecordStore } from "./store.ts";

/** What a server tells those who write its key database, beside the stream of its commits; arrives in order. */
export interface RecordsRequest {
  readonly type: "probe";
  readonly probe: number;
}

/** What comes back. */
export type RecordsReply =
  /** Of the server's `commit`th commit, from 1. */
  | { readonly type: "committed"; readonly commit: number; readonly outcome: CommitOutcome["outcome"] }
  | { readonly type: "commit-failed"; readonly commit: number; readonly message: string }
  /** Null: it works. */
  | { readonly type: "probed"; readonly probe: number; readonly failure: string | null };

/** How a server reaches those who write its key database. */
export interface RecordsLink {
  /** Part of the stream of commits (`packed-commits.ts`), whose secrets are there alone: to be overwritten when it is sent. */
  readonly commits: (packed: Uint8Array) => void;
  readonly send: (request: RecordsRequest) => void;
}

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: StoreError) => void;
}

/**
 * Records that are read here and written in another process, whose side of it is a `RecordsSeat`: one connection writes for
 * all, and what several servers commit at once shares a transaction.
 */
export class LinkedRecords implements RecordStore {
  readonly #source: RecordSource;
  readonly #clock: Clock;
  readonly #link: RecordsLink;
  /** Of this turn of the event loop. */
  #outbox: CommitOperation[] = [];
  readonly #commits = new Map<number, Waiter<CommitOutcome["outcome"]>>();
  readonly #probes = new Map<number, Waiter<void>>();
  #committed = 0;
  #probed = 0;

  constructor(source: RecordSource, clock: Clock, link: RecordsLink) {
    this.#source = source;
    this.#clock = clock;
    this.#link = link;
  }

  lookUp(clientId: ClientId): Promise<ClientRecord | null> {
    return this.#source.lookUp(clientId);
  }

  async commit(change: Commit): Promise<CommitOutcome> {
    checkCommit(change);
    const outcome = await new Promise<CommitOutcome["outcome"]>((resolve, reject) => {
      this.#commits.set(++this.#committed, { resolve, reject });
      if (this.#outbox.push(commitOperation(change, this.#clock.now())) === 1)
        setImmediate(() => this.#flush());
    });
    if (outcome === "done") return { outcome };
    return { outcome, current: await this.#source.lookUp(change.clientId) };
  }

  probe(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#probes.set(++this.#probed, { resolve, reject });
      this.#link.send({ type: "probe", probe: this.#probed });
    });
  }

  receive(reply: RecordsReply): void {
    switch (reply.type) {
      case "committed":
        take(this.#commits, reply.commit)?.resolve(reply.outcome);
        return;
      case "commit-failed":
        take(this.#commits, reply.commit)?.reject(new StoreError(reply.message));
        return;
      case "probed": {
        const waiter = take(this.#probes, reply.probe);
        if (reply.failure === null) waiter?.resolve();
        else waiter?.reject(new StoreError(reply.failure));
        return;
      }
      default:
        reply satisfies never;
    }
  }

  #flush(): void {
    this.#link.commits(packCommits(this.#outbox.splice(0)));
  }
}

function take<T>(waiters: Map<number, Waiter<T>>, number: number): Waiter<T> | undefined {
  const waiter = waiters.get(number);
  waiters.delete(number);
  return waiter;
}
