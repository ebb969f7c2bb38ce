import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pawl, pawlOnce } from "./support/pawl.ts";

/** What an operator's command leaves when it is killed in its middle: all or nothing, or something to take up again. */

vi.setConfig({ testTimeout: 180_000 });

const CLIENTS = 1_000;
/** A command takes about 250 ms to start here; where it is then when it is killed is chance. */
const KILLED_AFTER_MS = [230, 270, 310, 350, 400, 470];

let cwd = "";
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pawl-crash-"));
  await mkdir(join(cwd, "credentials"));
  await run("init");
  await run("keys", "add", "--count", String(CLIENTS), "--max-clients", "9999", "-o", "credentials/");
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await pawlOnce(args, { cwd });
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

async function killed(ms: number, ...args: string[]): Promise<void> {
  const { child, finished } = pawl(args, { cwd, input: "" });
  await sleep(ms);
  child.kill("SIGKILL");
  await finished;
}

describe("a command that is killed in its middle", () => {
  it("rewrap: leaves a database that opens, and the same command ends it", async () => {
    for (const ms of KILLED_AFTER_MS) {
      await killed(ms, "keys", "rewrap");
      expect(await run("keys", "verify")).toMatch(new RegExp(`^sound: ${CLIENTS} clients`));
    }
    await run("keys", "rewrap");
    expect((await readFile(join(cwd, "pawl", "db.key"), "utf8")).split("\n")).toHaveLength(2);
    expect(await run("keys", "verify")).toMatch(/^sound/);
  });

  it("backup: has its name only when it is whole; restore: all or nothing", async () => {
    for (const [index, ms] of KILLED_AFTER_MS.entries()) await killed(ms, "backup", `b${index}.db`);
    await run("backup", "whole.db");
    for (const name of (await readdir(cwd)).filter((one) => one.endsWith(".db"))) {
      expect(await run("restore", name)).toMatch(`restored ${CLIENTS} clients`);
    }
    for (const ms of KILLED_AFTER_MS) {
      await killed(ms, "restore", "whole.db");
      expect(await run("keys", "verify")).toMatch(new RegExp(`^sound: ${CLIENTS} clients`));
    }
    await rm(join(cwd, "pawl", "keys.db"));
    for (const ms of KILLED_AFTER_MS) await killed(ms, "restore", "whole.db");
    await run("restore", "whole.db");
    expect((await readdir(join(cwd, "pawl"))).filter((name) => name.includes("restor"))).toEqual([]);
    expect(await run("keys", "verify")).toMatch(/^sound/);
  });

  it("add: never enrols a client without its credential", async () => {
    for (const [index, ms] of KILLED_AFTER_MS.entries()) {
      const folder = join(cwd, `more-${index}`);
      await mkdir(folder);
      await killed(ms, "keys", "add", "--count", "50", "--max-clients", "9999", "-o", `${folder}/`);
      const before = CLIENTS + 50 * index;
      const enrolled = (await run("keys", "list", "--json")).trimEnd().split("\n").length;
      expect([before, before + 50]).toContain(enrolled);
      if (enrolled === before + 50) expect(await readdir(folder)).toHaveLength(50);
      await topUp(before + 50, enrolled);
    }
    expect(await run("keys", "verify")).toMatch(/^sound/);
  });

  async function topUp(wanted: number, enrolled: number): Promise<void> {
    if (enrolled === wanted) return;
    const folder = await mkdtemp(join(cwd, "top-up-"));
    await run(
      "keys",
      "add",
      "--count",
      String(wanted - enrolled),
      "--max-clients",
      "9999",
      "-o",
      `${folder}/`,
    );
  }
});
