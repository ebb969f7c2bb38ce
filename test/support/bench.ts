import { readFile } from "node:fs/promises";
import { expect, onTestFinished } from "vitest";
import { type Running, start } from "./pawl.ts";

/** Starts a script of `bench/`, which ends with its test. */
export function startBench(script: string, args: readonly string[]) {
  const running = start(`bench/${script}`, args);
  onTestFinished(() => void running.child.kill());
  return running;
}

/** Wrong usage: status 2, nothing on stdout, one line on stderr. */
export async function expectWrongUsage(script: string, args: readonly string[], line: RegExp): Promise<void> {
  const { code, stdout, stderr } = await startBench(script, args).finished;
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(line);
  expect(stderr.trimEnd()).not.toContain("\n");
}

/** ^C: status 130, and no process that it has started is left. Linux alone. */
export async function expectCleanInterrupt(script: string, args: readonly string[]): Promise<void> {
  await interruptOnce(2, startBench(script, args));
}

/** ^C once so many processes are there: status 130, and none of them is left. Linux alone. */
export async function interruptOnce(processes: number, { child, finished }: Running): Promise<void> {
  const children = async () =>
    (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")).split(" ").filter(Boolean);
  await expect
    .poll(async () => (await children()).length, { timeout: 20_000 })
    .toBeGreaterThanOrEqual(processes);
  const pids = (await children()).map(Number);
  child.kill("SIGINT");
  expect((await finished).code).toBe(130);
  for (const pid of pids) await expect.poll(() => isAlive(pid)).toBe(false);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
