import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@pawl/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Finished, pawl, pawlOnce, type Running } from "./support/pawl.ts";

/** Backup and restore as an operator does them: each command a process, since a restore wants the database for itself. */

vi.setConfig({ testTimeout: 180_000 });

let cwd = "";
let server: Running | null = null;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pawl-backup-"));
  expect((await run("init")).code).toBe(0);
  expect((await run("keys", "add", "--count", "4")).code).toBe(0);
});
afterEach(async () => {
  server?.child.kill("SIGKILL");
  server = null;
  await rm(cwd, { recursive: true, force: true });
});

const run = (...args: string[]) => pawlOnce(args, { cwd });

async function serve(): Promise<{ host: string; port: number }> {
  server = pawl(["serve", "--listen", "127.0.0.1:0", "--rounds", "eager", "--log", "json"], { cwd });
  const [, host = "", port = ""] = await server.until(/serves on ([\d.]+):(\d+),/);
  return { host, port: Number(port) };
}

async function stop(): Promise<void> {
  server?.child.kill("SIGTERM");
  await server?.finished;
  server = null;
}

/** So many sessions of one round each: as many epochs. */
async function sessions(id: number, count: number, address: { host: string; port: number }): Promise<void> {
  for (let n = 0; n < count; n++) {
    const session = await connect({ credential: join(cwd, `client-${id}.pawl`), ...address });
    expect(await session.send(String(n))).toMatchObject({ value: String(n) });
    await session.close();
  }
}

async function epochOf(id: number): Promise<number> {
  return (JSON.parse(await readFile(join(cwd, `client-${id}.pawl`), "utf8")) as { epoch: number }).epoch;
}

async function shown(id: number): Promise<Record<string, unknown>> {
  return JSON.parse((await run("keys", "show", String(id), "--json")).stdout) as Record<string, unknown>;
}

function expectFailure({ code, stdout, stderr }: Finished, pattern: RegExp): void {
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(pattern);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
}

describe("a backup of a live server", () => {
  it("brings everybody back when the database is lost, clients that went on by hundreds of epochs too", async () => {
    const before = await serve();
    await sessions(1, 3, before);
    expect((await run("backup", "b.db")).stdout).toMatch(/b\.db: 4 clients/);
    expectFailure(await run("restore", "b.db"), /is in use; stop the server/);
    await sessions(1, 400, before);
    await sessions(2, 1, before);
    await run("keys", "revoke", "3");
    await stop();
    for (const name of await readdir(join(cwd, "pawl"))) {
      if (name.startsWith("keys.db")) await rm(join(cwd, "pawl", name));
    }
    expectFailure(await run("keys", "list"), /no key database/);

    const restored = await run("restore", "b.db");
    expect(restored).toMatchObject({
      code: 0,
      stdout: "restored 4 clients, window 4096\n",
      stderr: expect.stringContaining(
        "what was revoked, reissued, removed or enrolled since the backup is lost",
      ),
    });
    expect(await shown(1)).toMatchObject({ epoch: 3, window: 4_096 });
    const after = await serve();
    await sessions(1, 2, after);
    await sessions(2, 1, after);
    await sessions(4, 1, after);
    expect(await epochOf(1)).toBe(405);
    expect(await shown(1)).toMatchObject({ epoch: 405, window: 64, alarms: [] });
    expect(await shown(2)).toMatchObject({ epoch: 2, window: 64 });
    expect((await run("keys", "verify")).code).toBe(0);
  });

  it("undoes no revocation, reissue or removal where the database is still there", async () => {
    const before = await serve();
    await run("backup", "b.db");
    await sessions(1, 70, before);
    await run("keys", "revoke", "2", "--reason", "lost");
    await run("keys", "reissue", "3", "-o", "new.pawl");
    await run("keys", "remove", "4");
    await stop();
    const restored = await run("restore", "b.db", "--window", "100", "--json");
    expect(JSON.parse(restored.stdout)).toEqual({
      restored: 1,
      carriedOver: { revoked: [2], reissued: [3], removed: [4], enrolled: [] },
    });
    const after = await serve();
    await sessions(1, 1, after);
    const tryAs = (file: string) => connect({ credential: join(cwd, file), ...after });
    for (const file of ["client-2.pawl", "client-3.pawl", "client-4.pawl"]) {
      await expect(tryAs(file)).rejects.toMatchObject({ code: "PAWL_HANDSHAKE_REFUSED" });
    }
    const session = await tryAs("new.pawl");
    expect(await session.send("9")).toMatchObject({ value: "9" });
    await session.close();
    const log = (await run("keys", "log")).stdout;
    expect(log).toMatch(/client 1 {2}restored: suite "strict", epoch 0, revoked false, window 100/);
    expect(log).toMatch(/store {2}restored: restored 1, carriedOver true/);
  });

  it("refuses, in one line, what is none, what is damaged, and a wrong use", async () => {
    expectFailure(await run("restore", "none.db"), /backup .*none\.db cannot be read/);
    await writeFile(join(cwd, "text.db"), "not a database, but long enough to look like one ".repeat(40));
    expectFailure(await run("restore", "text.db"), /text\.db .*(not a database|damaged)/);
    expectFailure(await run("backup", "/nowhere/b.db"), /cannot be made \(ENOENT\)/);
    expect((await run("restore", "b.db", "--window", "0")).code).toBe(2);
    expect((await run("keys", "verify")).code).toBe(0);
  });
});
