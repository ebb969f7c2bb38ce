import { concat, copyOf, wipe } from "@pawl/protocol";
import type { RecordsReply, RecordsRequest } from "./linked-records.ts";
import { messageOf } from "./message-of.ts";
import { COMMIT_BYTES, type CommitOperation, unpackCommits } from "./packed-commits.ts";
import type { RecordStore } from "./store.ts";

/** The key database's side of one server in another process (`LinkedRecords`). */
export class RecordsSeat {
  readonly #records: Pick<RecordStore, "commit" | "probe">;
  readonly #send: (reply: RecordsReply) => void;
  /** The begin of a commit whose end has not come. */
  #part: Uint8Array = new Uint8Array(0);
  #received = 0;

  constructor(records: Pick<RecordStore, "commit" | "probe">, send: (reply: RecordsReply) => void) {
    this.#records = records;
    this.#send = send;
  }

  /** Part of the stream of commits, cut anywhere. Overwritten: at once, or when what lies there is stored. */
  commits(chunk: Uint8Array): void {
    let all = chunk;
    if (this.#part.length > 0) {
      all = concat(this.#part, chunk);
      wipe(this.#part, chunk);
    }
    const whole = all.length - (all.length % COMMIT_BYTES);
    this.#part = copyOf(all, whole);
    wipe(all.subarray(whole));
    for (const commit of unpackCommits(all.subarray(0, whole))) void this.#commit(++this.#received, commit);
  }

  receive({ probe }: RecordsRequest): void {
    const answer = (failure: string | null) => this.#send({ type: "probed", probe, failure });
    this.#records.probe().then(
      () => answer(null),
      (error: unknown) => answer(messageOf(error)),
    );
  }

  async #commit(commit: number, change: CommitOperation): Promise<void> {
    try {
      const result = await this.#records.commit(change);
      // The server looks that up itself.
      if (result.outcome === "lost") wipe(result.current?.secret);
      this.#send({ type: "committed", commit, outcome: result.outcome });
    } catch (error) {
      this.#send({ type: "commit-failed", commit, message: messageOf(error) });
    } finally {
      wipe(change.next.secret);
    }
  }
}
