import { afterEach, describe, expect, it } from "vitest";
import { OptionError } from "../errors.ts";
import type { EventOf } from "../events.ts";
import { createMemoryStore } from "../keys/index.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { WorkerStartError } from "./errors.ts";
import { createWorkers, type PawlWorkers } from "./primary.ts";

const script = new URL("./testing/worker.ts", import.meta.url);

let server: PawlWorkers | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

function serverOf(workers: number, failure: string | null = null, clock = new FakeClock()): PawlWorkers {
  server = createWorkers({ keys: createMemoryStore(), workers, script, data: { failure }, clock });
  return server;
}

const started = ({ events }: PawlWorkers) =>
  new Promise<EventOf<"worker-started">>((resolve) => {
    const end = events.on("worker-started", (event) => {
      end();
      resolve(event);
    });
  });

const ended = ({ events }: PawlWorkers) =>
  new Promise<EventOf<"worker-ended">>((resolve) => {
    const end = events.on("worker-ended", (event) => {
      end();
      resolve(event);
    });
  });

describe("createWorkers", () => {
  it("says which worker did not start, and why, and leaves none running", async () => {
    const failing = serverOf(2, "the database is gone");
    const refused = failing.listen({ port: 0 });
    await expect(refused).rejects.toThrow(WorkerStartError);
    await expect(refused).rejects.toThrow("worker 1 did not start: the database is gone");
    expect(await failing.sessions()).toEqual([]);
  });

  it("starts a worker again that ended, later each time that it ends soon", async () => {
    const clock = new FakeClock();
    const running = serverOf(1, null, clock);
    const first = started(running);
    await running.listen({ port: 0 });
    let { pid } = await first;
    for (const [how, pause, up] of [
      ["SIGKILL", 100, 59_999],
      ["SIGKILL", 200, 0],
      ["SIGKILL", 400, 60_000],
      // It was up for a minute before it was killed once more.
      ["SIGKILL", 100, 0],
    ] as const) {
      const end = ended(running);
      process.kill(pid, "SIGKILL");
      expect(await end).toMatchObject({ worker: 1, pid, how, againInMs: pause });
      const next = started(running);
      clock.advance(pause - 1);
      clock.advance(1);
      ({ pid } = await next);
      clock.advance(up);
    }
  });

  it("takes a number of workers that can be", () => {
    for (const workers of [0, 257, 1.5, Number.NaN]) expect(() => serverOf(workers)).toThrow(OptionError);
  });
});
