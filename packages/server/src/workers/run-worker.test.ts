import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { inTime, tally } from "../testing/in-time.ts";
import { Gate } from "./testing/gate.ts";
import type { TestWorkerData } from "./testing/worker.ts";

const PRIMARY = fileURLToPath(new URL("./testing/primary.ts", import.meta.url));

let primary: ChildProcess | null = null;
let worker = 0;
afterEach(() => {
  primary?.kill("SIGKILL");
  if (worker !== 0 && isRunning(worker)) process.kill(worker, "SIGKILL");
  primary = null;
  worker = 0;
});

/** What a primary and its worker say. */
interface Line {
  readonly type: string;
  readonly pid: number;
  readonly port: number;
}

/** Starts a primary with one worker. `said` waits for the first line of a type. */
function startPrimary(data: Partial<TestWorkerData>): { said(type: string): Promise<Line> } {
  const whole: TestWorkerData = { failure: null, gate: null, endGate: null, ...data };
  const child = spawn(process.execPath, [...process.execArgv, PRIMARY, JSON.stringify(whole)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  primary = child;
  const lines: Line[] = [];
  const waiting: (() => void)[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(JSON.parse(line) as Line);
    for (const look of waiting.splice(0)) look();
  });
  const find = async (type: string): Promise<Line> => {
    for (;;) {
      const found = lines.find((line) => line.type === type);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { said: (type) => inTime(type, find(type), () => tally(lines)) };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a worker whose primary is killed", () => {
  it("drops its connections, has its key database closed, and ends", async () => {
    const endGate = await Gate.make();
    const { said } = startPrimary({ endGate: endGate.port });
    worker = (await said("worker-started")).pid;
    const client = connect((await said("listening")).port, "127.0.0.1").resume();
    client.on("error", () => {});
    const dropped = inTime("the connection to be dropped", once(client, "close"), () => "nothing");
    await said("connection");
    primary?.kill("SIGKILL");
    await endGate.reached(1);
    await dropped;
    endGate.open();
    await said("keys-closed");
    await expect.poll(() => isRunning(worker)).toBe(false);
  });

  it("ends all the same where its key database does not", async () => {
    const endGate = await Gate.make();
    const { said } = startPrimary({ endGate: endGate.port });
    worker = (await said("worker-started")).pid;
    await said("listening");
    primary?.kill("SIGKILL");
    await endGate.reached(1);
    await expect.poll(() => isRunning(worker)).toBe(false);
    endGate.open();
  });

  it("ends where it has not started", async () => {
    const gate = await Gate.make();
    startPrimary({ gate: gate.port });
    await gate.reached(1);
    const left = gate.left();
    primary?.kill("SIGKILL");
    await left;
  });
});
