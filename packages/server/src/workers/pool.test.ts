import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ListenError, OptionError } from "../errors.ts";
import type { EventOf, PawlServerEvent, PawlServerEventType } from "../events.ts";
import { createMemoryStore } from "../keys/index.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { inTime, tally } from "../testing/in-time.ts";
import { WorkerStartError } from "./errors.ts";
import { createWorkers, type PawlWorkers, type WorkersOptions } from "./primary.ts";
import { Gate } from "./testing/gate.ts";
import { freePort, listener } from "./testing/listener.ts";
import type { TestWorkerData } from "./testing/worker.ts";

const script = new URL("./testing/worker.ts", import.meta.url);

let server: PawlWorkers | null = null;
let events: PawlServerEvent[] = [];
const seen = () => tally(events);
afterEach(async () => {
  if (server !== null) await inTime("the server to close", server.close(), seen);
  server = null;
});

type Own = Partial<TestWorkerData> & Pick<WorkersOptions, "clock" | "limits">;

function serverOf(workers: number, { failure = null, gate = null, ...options }: Own = {}): PawlWorkers {
  const data: TestWorkerData = { failure, gate, endGate: null };
  const made = createWorkers({ keys: createMemoryStore(), workers, script, data, ...options });
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

/** A client that says nothing. */
async function knock(port: number): Promise<{ readonly socket: Socket; readonly closed: Promise<unknown> }> {
  const socket = connect(port, "127.0.0.1").resume();
  await once(socket, "connect");
  return { socket, closed: inTime("the connection to be closed", once(socket, "close"), seen) };
}

describe("createWorkers", () => {
  it("says which worker did not start, and why, and leaves none running", async () => {
    const failing = serverOf(2, { failure: "the database is gone" });
    const refused = inTime("a refusal", failing.listen({ port: 0 }), seen);
    await expect(refused).rejects.toThrow(WorkerStartError);
    await expect(refused).rejects.toThrow("worker 1 did not start: the database is gone");
    expect(await failing.sessions()).toEqual([]);
  });

  it("starts a worker again that ended, later each time that it ends soon", async () => {
    const clock = new FakeClock();
    const running = serverOf(1, { clock });
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

  it("starts none for a port that it cannot have, and may be asked again", async () => {
    const { net, port } = await listener();
    const running = serverOf(1);
    await expect(running.listen({ port })).rejects.toThrow(ListenError);
    expect(events).toEqual([]);
    net.close();
    await inTime("the worker to start", running.listen({ port }), seen);
    expect(tally(events)).toBe("worker-started, listening");
  });

  it("has who comes while they start wait, within the limits of half-open connections", async () => {
    const [gate, port] = [await Gate.make(), await freePort()];
    const running = serverOf(2, { gate: gate.port, limits: { halfOpenPerAddress: 2 } });
    const listening = inTime("the workers to start", running.listen({ port }), seen);
    await gate.reached(2);
    const first = await knock(port);
    await expect.poll(() => running.halfOpen.count).toBe(1);
    const others = [await knock(port), await knock(port)];
    await first.closed;
    expect(tally(events)).toBe("half-open-evicted");
    gate.open();
    await listening;
    const taken = () => events.flatMap((event) => (event.type === "connection" ? [event] : []));
    await expect.poll(() => taken().map(({ connection }) => connection)).toHaveLength(2);
    expect(taken().map(({ connection, worker }) => [connection, worker])).toEqual(
      expect.arrayContaining([
        [2, 1],
        [3, 2],
      ]),
    );
    expect(running.halfOpen.count).toBe(2);
    expect(others.map(({ socket }) => socket.destroyed)).toEqual([false, false]);
    for (const { socket } of others) socket.destroy();
  });

  it("closes who is over a limit also while the worker that should is stuck", async () => {
    const running = serverOf(1, { limits: { halfOpenPerAddress: 2 } });
    const started = next(running, "worker-started");
    const { port } = await inTime("the worker to start", running.listen({ port: 0 }), seen);
    const { pid } = await started;
    process.kill(pid, "SIGSTOP");
    // The first is on its way to the worker when it is over the limit.
    const clients = [await knock(port), await knock(port), await knock(port), await knock(port)];
    await clients[1]?.closed;
    expect(running.halfOpen.count).toBe(2);
    expect(await inTime("an answer", running.sessions(), seen, 10_000)).toEqual([]);
    process.kill(pid, "SIGCONT");
    await clients[0]?.closed;
    for (const { socket } of clients) socket.destroy();
    await expect.poll(() => running.halfOpen.count).toBe(0);
  });

  it("is closed while they start, and waits for none that serves nobody", async () => {
    const [gate, port] = [await Gate.make(), await freePort()];
    const running = serverOf(1, { gate: gate.port });
    const refused = expect(running.listen({ port })).rejects.toThrow();
    await gate.reached(1);
    await inTime("the server to close", running.close({ graceMs: 60_000 }), seen);
    await refused;
    gate.open();
  });

  it("turns who waits away where they do not start, and leaves the port", async () => {
    const [gate, port] = [await Gate.make(), await freePort()];
    const running = serverOf(1, { gate: gate.port, failure: "the database is gone" });
    const listening = inTime("a refusal", running.listen({ port }), seen);
    const refused = expect(listening).rejects.toThrow(WorkerStartError);
    await gate.reached(1);
    const waiting = await knock(port);
    await expect.poll(() => running.halfOpen.count).toBe(1);
    gate.open();
    await refused;
    await waiting.closed;
    expect(running.halfOpen.count).toBe(0);
    await once(createServer().listen(port, "127.0.0.1").unref(), "listening");
  });

  it("takes a number of workers that can be", () => {
    for (const workers of [0, 257, 1.5, Number.NaN]) expect(() => serverOf(workers)).toThrow(OptionError);
  });
});
