import { afterEach, describe, expect, it } from "vitest";
import { OptionError } from "../errors.ts";
import type { EventOf, PawlServerEvent, PawlServerEventType } from "../events.ts";
import { createMemoryStore } from "../keys/index.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { inTime, tally } from "../testing/in-time.ts";
import { WorkerStartError } from "./errors.ts";
import { createWorkers, type PawlWorkers } from "./primary.ts";

const script = new URL("./testing/worker.ts", import.meta.url);

let server: PawlWorkers | null = null;
let events: PawlServerEvent[] = [];
const seen = () => tally(events);
afterEach(async () => {
  if (server !== null) await inTime("the server to close", server.close(), seen);
  server = null;
});

function serverOf(workers: number, failure: string | null = null, clock = new FakeClock()): PawlWorkers {
  const made = createWorkers({ keys: createMemoryStore(), workers, script, data: { failure }, clock });
  events = [];
  made.events.onAny((event) => events.push(event));
  server = made;
  return made;
}

/** The next event of that type. */
function next<T extends PawlServerEventType>({ events }: PawlWorkers, type: T): Promise<EventOf<T>> {
  const told = new Promise<EventOf<T>>((resolve) => {
    const end = events.on(type, (event) => {
      end();
      resolve(event);
    });
  });
  return inTime(type, told, seen);
}

describe("createWorkers", () => {
  it("says which worker did not start, and why, and leaves none running", async () => {
    const failing = serverOf(2, "the database is gone");
    const refused = inTime("a refusal", failing.listen({ port: 0 }), seen);
    await expect(refused).rejects.toThrow(WorkerStartError);
    await expect(refused).rejects.toThrow("worker 1 did not start: the database is gone");
    expect(await failing.sessions()).toEqual([]);
  });

  it("starts a worker again that ended, later each time that it ends soon", async () => {
    const clock = new FakeClock();
    const running = serverOf(1, null, clock);
    const first = next(running, "worker-started");
    await inTime("the worker to start", running.listen({ port: 0 }), seen);
    let { pid } = await first;
    for (const [how, pause, up] of [
      ["SIGKILL", 100, 59_999],
      ["SIGKILL", 200, 0],
      ["SIGKILL", 400, 60_000],
      // It was up for a minute before it was killed once more.
      ["SIGKILL", 100, 0],
    ] as const) {
      const end = next(running, "worker-ended");
      process.kill(pid, "SIGKILL");
      expect(await end).toMatchObject({ worker: 1, pid, how, againInMs: pause });
      const again = next(running, "worker-started");
      clock.advance(pause - 1);
      clock.advance(1);
      ({ pid } = await again);
      clock.advance(up);
    }
  });

  it("takes a number of workers that can be", () => {
    for (const workers of [0, 257, 1.5, Number.NaN]) expect(() => serverOf(workers)).toThrow(OptionError);
  });
});
