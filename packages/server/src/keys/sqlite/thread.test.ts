import { Worker } from "node:worker_threads";
import { clientId, epoch } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { COMMIT_BYTES } from "../packed-commits.ts";
import { secretOf } from "../testing/fixtures.ts";
import type { Operation } from "./messages.ts";
import { plainWriterData } from "./testing/stores.ts";
import { MAX_BATCH, WriterThread } from "./thread.ts";

/** A thread that runs `body` for each message, with `port` to answer on. */
function threadThat(body: string): WriterThread {
  const program = `const { parentPort: port } = require("node:worker_threads"); port.on("message", (message) => { ${body} });`;
  return new WriterThread(new Worker(program, { eval: true }));
}

function reissue(): Extract<Operation, { kind: "reissue" }> {
  const generation = new Uint8Array(8);
  return { kind: "reissue", clientId: clientId(7), generation, secret: secretOf(1), reason: null, at: 0 };
}

function commit(n: number): Extract<Operation, { kind: "commit" }> {
  const common = { kind: "commit", clientId: clientId(7), accepted: null, at: 0 } as const;
  const expected = { generation: 1n, epoch: epoch(n) };
  return { ...common, expected, next: { epoch: epoch(n + 1), secret: secretOf(n) } };
}

const ANSWER = `
  if (message.type === "write") port.postMessage({ type: "written", results: message.operations.map(() => ({ result: "lost" })) });
  if (message.type === "close") port.close();`;

describe("WriterThread", () => {
  it("sends what is submitted together in one batch, up to its bound", async () => {
    const thread = threadThat(ANSWER);
    const results = await Promise.all(Array.from({ length: MAX_BATCH + 1 }, () => thread.submit(reissue())));
    expect(results).toHaveLength(MAX_BATCH + 1);
    expect(thread.stats).toEqual({ transactions: 2, operations: MAX_BATCH + 1, largestBatch: MAX_BATCH });
    await thread.close();
  });

  it("hands the buffers of secrets over, so that no copy stays", async () => {
    const thread = threadThat(ANSWER);
    const operation = reissue();
    await thread.submit(operation);
    expect(operation.secret).toHaveLength(0);
    await thread.close();
  });

  it("hands commits over in one piece, and leaves no copy of their secrets", async () => {
    const thread = threadThat(`
      if (message.type === "commit") {
        const commits = message.commits.length / ${COMMIT_BYTES};
        port.postMessage({ type: "written", results: Array(commits).fill({ result: "lost" }) });
      }
      if (message.type === "close") port.close();`);
    const operations = [commit(1), commit(2)];
    const results = await Promise.all(operations.map((one) => thread.submit(one)));
    expect(results).toEqual([{ result: "lost" }, { result: "lost" }]);
    expect(operations.map(({ next }) => next.secret)).toEqual([new Uint8Array(32), new Uint8Array(32)]);
    await thread.close();
  });

  it("sends commits in order with what else is submitted, and takes one word for all being done", async () => {
    const thread = threadThat(`
      if (message.type === "write") {
        const kinds = message.operations.map(({ kind }) => kind).join(" ");
        if (kinds !== "commit reissue commit") throw new Error(kinds);
        port.postMessage({ type: "written", results: null });
      }
      if (message.type === "close") port.close();`);
    const submitted = [commit(1), reissue(), commit(2)].map((one) => thread.submit(one));
    expect(await Promise.all(submitted)).toEqual(Array(3).fill({ result: "done", rows: [] }));
    await thread.close();
  });

  it("finishes what was submitted before it ends, and refuses the rest", async () => {
    const thread = threadThat(ANSWER);
    const before = thread.submit(reissue());
    const closing = thread.close();
    const late = reissue();
    await expect(thread.submit(late)).rejects.toThrow(/closed/);
    expect(late.secret).toEqual(new Uint8Array(32));
    await expect(thread.version()).rejects.toThrow(/closed/);
    expect(await before).toEqual({ result: "lost" });
    await closing;
    await thread.close();
    expect(() => thread.checkUsable()).toThrow(/closed/);
  });

  it.each([
    ["dies of an error", "throw new Error('out of memory')"],
    ["ends by itself", "process.exit(3)"],
    ["speaks out of turn", "port.postMessage({ type: 'open' })"],
  ])("rejects what waits when its thread %s, and wipes what it did not hand over", async (_what, body) => {
    const thread = threadThat(body);
    const waiting = Array.from({ length: MAX_BATCH + 1 }, reissue);
    const settled = await Promise.allSettled([...waiting.map((one) => thread.submit(one)), thread.version()]);
    for (const one of settled)
      expect(one).toMatchObject({ status: "rejected", reason: { code: "PAWL_STORE" } });
    expect(waiting.at(-1)?.secret).toEqual(new Uint8Array(32));
    await expect(thread.submit(reissue())).rejects.toThrow(/restart the process/);
    await thread.close();
  });

  it("rejects an operation that was not answered", async () => {
    const thread = threadThat(`
      if (message.type === "write") port.postMessage({ type: "written", results: [] });
      if (message.type === "close") port.close();`);
    await expect(thread.submit(reissue())).rejects.toThrow(/no answer/);
    await thread.close();
  });

  it("says why the thread did not start", async () => {
    const start = WriterThread.start(plainWriterData("/nowhere/at/all/keys.db"), async () => []);
    await expect(start).rejects.toMatchObject({
      code: "PAWL_STORE",
      message: expect.stringContaining("/nowhere"),
    });
  });
});
