import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type PawlConnection } from "@pawl/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { run } from "../packages/cli/src/run.ts";
import { pawlIn, type Ran, worldIn } from "./support/world.ts";

/** The fleet's life by `pawl keys`, beside a server that runs: what an operator types, and what the clients see. */

// Each command opens the key database, and so starts a thread: many commands take a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let cwd = "";
const stops: (() => Promise<unknown>)[] = [];
const sessions: PawlConnection[] = [];
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pawl-keys-"));
  await pawl("init");
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
  for (const stop of stops.splice(0)) await stop();
  await rm(cwd, { recursive: true, force: true });
});

const pawl = (...argv: string[]) => pawlIn(cwd, argv);
const withEnv = (env: Record<string, string>, ...argv: string[]) => pawlIn(cwd, argv, { env });

async function json<T = Record<string, unknown>>(...argv: string[]): Promise<T> {
  const { stdout, stderr, code } = await pawl(...argv, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as T;
}

async function jsonLines(...argv: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await pawl(...argv, "--json");
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** One line on stderr that says what to do, nothing on stdout. */
function expectFailure({ code, stdout, stderr }: Ran, exitCode: number, pattern: RegExp): void {
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(pattern);
}

async function serve(...args: string[]) {
  const world = worldIn(cwd, "", { PAWL_LISTEN: "127.0.0.1:0", PAWL_LOG: "json", PAWL_ROUNDS: "eager" });
  const served = run(["serve", ...args], world.io);
  stops.push(async () => {
    world.stop("SIGTERM");
    await served;
  });
  await expect.poll(() => /serves on (\S+),/.exec(world.stdout())?.[1], { timeout: 10_000 }).toBeTruthy();
  const [host = "", port = ""] = (/serves on (\S+),/.exec(world.stdout())?.[1] ?? "").split(":");
  const events = () =>
    world
      .stderr()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as { type: string } & Record<string, unknown>);
  return { address: { host, port: Number(port) }, events };
}

async function open(file: string, address: { host: string; port: number }): Promise<PawlConnection> {
  const session = await connect({ credential: join(cwd, file), ...address });
  sessions.push(session);
  return session;
}

describe("the life of a client", () => {
  it("is enrolled, shown, renamed, revoked, reissued, removed, and all of it is on record", async () => {
    await pawl("keys", "add", "--label", "cellar");
    expect(await json("keys", "show", "1")).toMatchObject({
      clientId: 1,
      label: "cellar",
      epoch: 0,
      alarms: [],
    });
    expect((await pawl("keys", "rename", "1", "attic")).stdout).toBe("client 1: attic\n");
    expect(await json("keys", "rename", "1", "--clear")).toEqual({ clientId: 1, label: null });
    const revoked = await json("keys", "revoke", "1", "--reason", "stolen from the van");
    expect(revoked).toMatchObject({ clientId: 1, revoked: { reason: "stolen from the van" } });
    expect((await pawl("keys", "show", "1")).stdout).toMatch(/state +revoked[\s\S]*stolen from the van/);
    const before = await readFile(join(cwd, "client-1.pawl"), "utf8");
    expectFailure(
      await pawl("keys", "reissue", "1"),
      1,
      /client-1\.pawl: is there already; it is not overwritten/,
    );
    expect(await json("keys", "show", "1")).toMatchObject({ revoked: { reason: "stolen from the van" } });
    expect(await json("keys", "reissue", "1", "-o", "new.pawl", "--reason", "found")).toMatchObject({
      clientId: 1,
    });
    const after = JSON.parse(await readFile(join(cwd, "new.pawl"), "utf8")) as { key: string };
    expect(before).not.toContain(after.key);
    expect((await stat(join(cwd, "new.pawl"))).mode & 0o777).toBe(0o600);
    const printed = await pawl("keys", "reissue", "1", "-o", "-");
    expect(JSON.parse(printed.stdout)).toMatchObject({ clientId: 1, epoch: 0 });
    expect((await pawl("keys", "remove", "1", "--reason", "scrapped")).stdout).toBe("client 1: removed\n");
    expectFailure(await pawl("keys", "show", "1"), 1, /client 1 is not enrolled/);

    const log = await jsonLines("keys", "log", "--id", "1");
    expect(log.map((entry) => entry.kind)).toEqual([
      "enrolled",
      "renamed",
      "renamed",
      "revoked",
      "reissued",
      "reissued",
      "removed",
    ]);
    expect(log[6]).toMatchObject({ details: { reason: "scrapped" }, actor: expect.any(String) });
    expect((await pawl("keys", "log")).stdout).toMatch(/client 1 {2}reissued: reason "found"/);
    const everything = `${before}${JSON.stringify(after)}${printed.stdout}`;
    for (const { key } of [JSON.parse(before), after, JSON.parse(printed.stdout)] as { key: string }[]) {
      expect(everything).toContain(key);
      expect((await pawl("keys", "log", "--json")).stdout).not.toContain(key);
    }
  });

  it("changes all of several, or none", async () => {
    await pawl("keys", "add", "--count", "3");
    expectFailure(await pawl("keys", "revoke", "1", "2", "9"), 1, /client 9 is not enrolled/);
    expectFailure(await pawl("keys", "remove", "1", "x"), 2, /client id: expected an integer/);
    expectFailure(await pawl("keys", "rename", "1"), 2, /expected a label, or --clear/);
    expect((await jsonLines("keys", "list", "--state", "new")).map((one) => one.clientId)).toEqual([1, 2, 3]);
    await pawl("keys", "revoke", "1", "3");
    expect((await jsonLines("keys", "list", "--state", "revoked")).map((one) => one.clientId)).toEqual([
      1, 3,
    ]);
  });

  it("is listed by what one asks for", async () => {
    for (const label of ["b", "A cellar", "c cellar"]) await pawl("keys", "add", "--label", label);
    await pawl("keys", "add", "--suite", "strict-gcm");
    const ids = async (...args: string[]) =>
      (await jsonLines("keys", "list", ...args)).map((one) => one.clientId);
    expect(await ids("--sort", "label")).toEqual([2, 1, 3, 4]);
    expect(await ids("--sort", "label", "--reverse")).toEqual([4, 3, 1, 2]);
    expect(await ids("--label", "CELLAR")).toEqual([2, 3]);
    expect(await ids("--suite", "strict-gcm")).toEqual([4]);
    expect(await ids("--state", "overdue", "--overdue-after", "1ms")).toEqual([1, 2, 3, 4]);
    expect(await ids("--alarmed")).toEqual([]);
    expect((await pawl("keys", "list", "--alarmed")).stdout).toBe("none\n");
    expectFailure(
      await pawl("keys", "list", "--sort", "size"),
      2,
      /--sort: expected id, epoch, .*found "size"/,
    );
    expectFailure(await pawl("keys", "list", "--suite", "best"), 2, /--suite: expected classic, strict/);
    expectFailure(
      await pawl("keys", "list", "--overdue-after", "soon"),
      2,
      /--overdue-after: expected a dur/,
    );
    expectFailure(await pawl("keys", "list", "--state", "odd"), 2, /--state: expected active, new/);
  });

  it("is not half enrolled by a ^C", async () => {
    const world = worldIn(cwd);
    world.stop("SIGINT");
    expect(await run(["keys", "add", "--count", "5"], world.io)).toBe(130);
    expect(world.stderr()).toBe("pawl: interrupted\n");
    expect(await readdir(cwd)).toEqual(["pawl"]);
    expect((await pawl("keys", "list")).stdout).toMatch(/^no client is enrolled/);
  });

  it("stops at the cap, and says how to raise it", async () => {
    expectFailure(
      await pawl("keys", "add", "--count", "101"),
      1,
      /pass the cap of 100; raise it with --max-clients/,
    );
    expect(await readdir(cwd)).toEqual(["pawl"]);
    const { code } = await pawl("keys", "add", "--count", "101", "--max-clients", "101", "-o", ".");
    expect(code).toBe(0);
    expect(await json("serve", "--check")).toMatchObject({ enrolled: 101 });
  });
});

describe("beside a running server", () => {
  it("a revocation ends the session within a second, and a reissue lets the device in again", async () => {
    await pawl("keys", "add", "--count", "2");
    const { address } = await serve();
    const [one, two] = [await open("client-1.pawl", address), await open("client-2.pawl", address)];
    expect(await one.send("3")).toMatchObject({ value: "3" });
    await two.send("4");
    const start = performance.now();
    await pawl("keys", "revoke", "1", "--reason", "lost");
    expect(await one.closed).toMatchObject({ reason: "revoked", by: "peer" });
    expect(performance.now() - start).toBeLessThan(2_000);
    await expect(open("client-1.pawl", address)).rejects.toMatchObject({ code: "PAWL_HANDSHAKE_REFUSED" });
    expect(await two.send("5")).toMatchObject({ value: "5" });
    await pawl("keys", "reissue", "1", "-o", "again.pawl");
    expect(await (await open("again.pawl", address)).send("6")).toMatchObject({ value: "6" });
    await expect(open("client-1.pawl", address)).rejects.toMatchObject({ code: "PAWL_HANDSHAKE_REFUSED" });
    await pawl("keys", "remove", "2");
    expect(await two.closed).toMatchObject({ reason: "revoked" });
    expect((await pawl("keys", "verify")).stdout).toMatch(/^sound: 1 clients/);
  });

  it("the db key is changed while clients do rounds and come back", async () => {
    await pawl("keys", "add", "--count", "3");
    const { address } = await serve();
    let going = true;
    const rounds = [1, 2, 3].map(async (id) => {
      let count = 0;
      while (going) {
        const session = await connect({ credential: join(cwd, `client-${id}.pawl`), ...address });
        expect(await session.send(String(id))).toMatchObject({ value: String(id) });
        await session.close();
        count++;
      }
      return count;
    });
    const key = join(cwd, "pawl", "db.key");
    const first = await readFile(key, "utf8");
    for (let turn = 0; turn < 3; turn++) expect((await pawl("keys", "rewrap")).code).toBe(0);
    await writeFile(join(cwd, "own.key"), `${Buffer.alloc(32, 7).toString("hex")}\n`, { mode: 0o600 });
    expect((await pawl("keys", "rewrap", "--new-key-file", "own.key")).code).toBe(0);
    going = false;
    for (const count of await Promise.all(rounds)) expect(count).toBeGreaterThan(3);
    expect(await readFile(key, "utf8")).toBe(`${Buffer.alloc(32, 7).toString("base64url")}\n`);
    expect((await pawl("keys", "verify")).code).toBe(0);
    await writeFile(key, first, { mode: 0o600 });
    expectFailure(
      await pawl("keys", "list"),
      1,
      /encrypted under db key [0-9a-f]{16}, and what was given is/,
    );
  });
});

describe("alarms", () => {
  it("a copy of a credential that was put back is refused, and the operator is told what it may be", async () => {
    await pawl("keys", "add");
    await copyFile(join(cwd, "client-1.pawl"), join(cwd, "backup.pawl"));
    const { address } = await serve();
    for (let n = 0; n < 3; n++) {
      const session = await open("client-1.pawl", address);
      await session.send("1");
      await session.close();
    }
    const { host, port } = address;
    const refused = await pawlIn(cwd, ["connect", join(cwd, "backup.pawl"), `${host}:${port}`], {
      input: "1\n",
    });
    expectFailure(refused, 1, /may be unknown or revoked there.*an old copy.*ask the operator to reissue it/);
    await expect
      .poll(async () => (await pawl("keys", "show", "1")).stdout)
      .toMatch(
        /stale epoch \(not authenticated.*1 time, .*from 127\.0\.0\.1, HELLO at epoch 0 where 3 is stored\. A copy or a backup/,
      );
    expect((await jsonLines("keys", "list", "--alarmed")).map((one) => one.clientId)).toEqual([1]);
    expect((await pawl("keys", "list")).stdout).toMatch(/active ALARM/);
    expect((await pawl("keys", "log", "--id", "1")).stdout).toMatch(
      /stale-epoch: remoteAddress "127\.0\.0\.1", epoch 0/,
    );
    await pawl("keys", "reissue", "1", "-o", "new.pawl");
    expect((await pawl("keys", "list")).stdout).not.toMatch(/ALARM/);
    expect(await (await open("new.pawl", address)).send("7")).toMatchObject({ value: "7" });
  });

  it.each([
    ["alert", null],
    ["revoke", expect.objectContaining({ reason: expect.stringContaining("clone detected") })],
  ])("a clone shows when both holders have been here; --on-clone %s", async (action, revoked) => {
    await pawl("keys", "add");
    const { address, events } = await serve("--on-clone", action);
    // The thief copies the credential, and is first; the device, one ahead by then, comes after.
    await copyFile(join(cwd, "client-1.pawl"), join(cwd, "thief.pawl"));
    const device = await open("client-1.pawl", address);
    const thief = await open("thief.pawl", address);
    await thief.send("666");
    await expect(device.send("1")).rejects.toMatchObject({ reason: "conflict" });
    await expect.poll(() => events().some((event) => event.type === "clone-detected")).toBe(true);
    await expect
      .poll(async () => (await json("keys", "show", "1")).alarms)
      .toMatchObject([{ kind: "clone-detected", remoteAddress: "127.0.0.1" }]);
    await expect.poll(async () => (await json("keys", "show", "1")).revoked).toEqual(revoked);
    expect((await pawl("keys", "show", "1")).stdout).toMatch(
      /CLONE \(authentic\).*revoke it, find the copy, then reissue/,
    );
    if (revoked !== null) expect(await thief.closed).toMatchObject({ reason: "revoked" });
    expect((await pawl("keys", "verify")).code).toBe(0);
  });

  it("count the HELLOs of who was revoked", async () => {
    await pawl("keys", "add");
    const { address } = await serve();
    await pawl("keys", "revoke", "1");
    for (let n = 0; n < 3; n++) {
      await expect(open("client-1.pawl", address)).rejects.toMatchObject({ code: "PAWL_HANDSHAKE_REFUSED" });
    }
    await expect
      .poll(async () => (await json("keys", "show", "1")).alarms)
      .toMatchObject([{ kind: "revoked-hello", count: 3 }]);
  });
});

describe("the db key", () => {
  it("comes from a variable or a command too, and never shows", async () => {
    await rm(join(cwd, "pawl"), { recursive: true });
    const key = Buffer.alloc(32, 9).toString("base64");
    await writeFile(join(cwd, "vault"), key);
    expect((await withEnv({ PAWL_DB_KEY: key }, "init")).code).toBe(0);
    expect(await readdir(join(cwd, "pawl"))).toEqual(expect.not.arrayContaining(["db.key"]));
    expect((await withEnv({ PAWL_DB_KEY: key }, "keys", "add")).code).toBe(0);
    expectFailure(await pawl("keys", "list"), 1, /encrypted under db key .*none was given/);
    const vault = ["--db-key-command", `cat '${join(cwd, "vault")}'`];
    expect((await pawl("keys", "list", ...vault)).code).toBe(0);
    await writeFile(join(cwd, "pawl", "pawl.toml"), `db_key_command = "cat '${join(cwd, "vault")}'"\n`);
    expect((await pawl("keys", "list")).code).toBe(0);
    for (const [command, message] of [
      ["exit 3", /db-key-command: ended with exit code 3; run it by hand/],
      ["kill -9 $$", /db-key-command: was ended by SIGKILL; run it by hand/],
      ["echo open sesame", /output of db-key-command: key 1 is no db key/],
      ["true", /output of db-key-command: no db key in it/],
      ["seq 10000", /db-key-command: printed more than a db key/],
    ] as const) {
      const failed = await pawl("keys", "list", "--db-key-command", command);
      expectFailure(failed, 1, message);
      expect(failed.stderr).not.toContain("sesame");
    }
    const garbled = await withEnv({ PAWL_DB_KEY: "open-sesame" }, "keys", "list");
    expectFailure(garbled, 1, /PAWL_DB_KEY: key 1 is no db key/);
    expect(garbled.stderr).not.toContain("sesame");

    expectFailure(await withEnv({ PAWL_DB_KEY: key }, "keys", "rewrap"), 1, /gives one key, which is in use/);
    const next = Buffer.alloc(32, 10).toString("base64");
    const moved = await withEnv({ PAWL_DB_KEY: `${key},${next}` }, "keys", "rewrap");
    expect(moved).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("take the old key out of PAWL_DB_KEY"),
    });
    expect((await withEnv({ PAWL_DB_KEY: next }, "keys", "verify")).code).toBe(0);
    expectFailure(await withEnv({ PAWL_DB_KEY: key }, "keys", "list"), 1, /encrypted under db key/);
  });

  it("file that others may read, or that is gone, is refused", async () => {
    const file = join(cwd, "pawl", "db.key");
    await chmod(file, 0o644);
    expectFailure(await pawl("keys", "list"), 1, /db\.key: others may read it \(mode 644\)/);
    await rm(file);
    expectFailure(await pawl("keys", "add"), 1, /none was given; put that key's file \(db\.key\) back/);
    expectFailure(await pawl("keys", "rewrap"), 1, /none was given/);
    expect(await readdir(cwd)).toEqual(["pawl"]);
  });

  it("goes on with a move that was interrupted, and encrypts a database that was not", async () => {
    await pawl("keys", "add", "--count", "3");
    const file = join(cwd, "pawl", "db.key");
    const old = await readFile(file, "utf8");
    const next = `${Buffer.alloc(32, 3).toString("base64url")}\n`;
    await writeFile(file, `${old}${next}`, { mode: 0o600 });
    await writeFile(join(cwd, "other.key"), Buffer.alloc(32, 4).toString("hex"), { mode: 0o600 });
    expectFailure(
      await pawl("keys", "rewrap", "--new-key-file", "other.key"),
      2,
      /a move to another key was interrupted; run pawl keys rewrap first/,
    );
    expect((await pawl("keys", "rewrap")).code).toBe(0);
    expect(await readFile(file, "utf8")).toBe(next);
    expect((await pawl("keys", "verify")).code).toBe(0);

    const { openSqliteStore } = await import("@pawl/server/keys");
    await rm(join(cwd, "pawl", "keys.db"));
    await rm(file);
    await (await openSqliteStore({ path: join(cwd, "pawl", "keys.db"), create: true })).close();
    await pawl("keys", "add", "-o", "plain.pawl");
    const { key } = JSON.parse(await readFile(join(cwd, "plain.pawl"), "utf8")) as { key: string };
    const secret = Buffer.from(key, "base64url");
    expect((await readFile(join(cwd, "pawl", "keys.db"))).includes(secret)).toBe(true);
    expect((await pawl("keys", "rewrap")).code).toBe(0);
    expect((await pawl("keys", "verify")).code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    for (const name of await readdir(join(cwd, "pawl"))) {
      expect((await readFile(join(cwd, "pawl", name))).includes(secret), name).toBe(false);
    }
  });
});

describe("export and import", () => {
  const env = { PAWL_PASSPHRASE: "correct horse battery staple" };

  it("carry the fleet to another home, whose clients go on where they were", async () => {
    await pawl("keys", "add", "--count", "3");
    const first = await serve();
    const session = await open("client-1.pawl", first.address);
    await session.send("1");
    await session.close();
    await pawl("keys", "revoke", "3");
    const sealed = await withEnv(env, "keys", "export", "-o", "fleet.sealed", "--json");
    expect(JSON.parse(sealed.stdout)).toMatchObject({ clients: 3 });
    expect((await stat(join(cwd, "fleet.sealed"))).mode & 0o777).toBe(0o600);
    for (const stop of stops.splice(0)) await stop();
    // The client goes on after the export: the window of what is imported lets it in.
    await copyFile(join(cwd, "client-1.pawl"), join(cwd, "kept.pawl"));

    await rm(join(cwd, "pawl"), { recursive: true });
    await pawl("init");
    expectFailure(
      await withEnv({ PAWL_PASSPHRASE: "correct horse battery stable" }, "keys", "import", "fleet.sealed"),
      1,
      /fleet\.sealed: another passphrase, or the file was altered/,
    );
    const imported = await withEnv(env, "keys", "import", "fleet.sealed", "--json");
    expect(JSON.parse(imported.stdout)).toEqual({ imported: [1, 2, 3], skipped: [] });
    expect(await json("keys", "show", "3")).toMatchObject({ revoked: { reason: "revoked by the operator" } });
    const second = await serve();
    expect(await (await open("client-1.pawl", second.address)).send("5")).toMatchObject({ value: "5" });
    expect((await pawl("keys", "verify")).code).toBe(0);
  });

  it("refuse what would undo something, and wrong use, in one line", async () => {
    await pawl("keys", "add", "--count", "2");
    await writeFile(join(cwd, "pass"), "correct horse battery staple\n");
    const file = ["--passphrase-file", "pass"];
    expect((await pawl("keys", "export", "1", "2", "-o", "f", ...file)).code).toBe(0);
    expectFailure(
      await pawl("keys", "export", "-o", "f", ...file),
      1,
      /f is there already; it was not overwritten/,
    );
    expectFailure(await pawl("keys", "export", "7", "-o", "g", ...file), 1, /client 7 is not enrolled/);
    expectFailure(await pawl("keys", "export", "-o", "g"), 2, /a passphrase is needed/);
    expectFailure(
      await withEnv({ PAWL_PASSPHRASE: "short" }, "keys", "export", "-o", "g"),
      2,
      /has 5 characters/,
    );
    expectFailure(await pawl("keys", "export", ...file), 2, /required option '-o, --output <file>'/);
    expectFailure(await pawl("keys", "import", "none", ...file), 1, /ENOENT/);
    expectFailure(await pawl("keys", "import", "client-1.pawl", ...file), 1, /is no export of Pawl/);
    expectFailure(await pawl("keys", "import", "f", ...file), 1, /client 1 is enrolled already/);
    await pawl("keys", "remove", "2");
    await pawl("keys", "remove", "1");
    expectFailure(await pawl("keys", "import", "f", ...file), 1, /client 1 was removed after this export/);
    expect(await json("keys", "import", "f", "--skip", ...file)).toEqual({ imported: [], skipped: [1, 2] });
    expect(await readdir(cwd)).toEqual(expect.not.arrayContaining(["g"]));
  });
});

describe("verify", () => {
  it("says what was tampered with, and fails", async () => {
    await pawl("keys", "add", "--count", "2");
    const { head } = await json<{ head: string }>("keys", "verify");
    await pawl("keys", "revoke", "1", "--reason", "lost");
    expect(await json("keys", "verify", "--head", head)).toMatchObject({ ok: true, problems: [] });
    expectFailure(await pawl("keys", "verify", "--head", "12"), 2, /--head: expected a number, a colon/);
    const { rawConnection } = await import("../packages/server/src/keys/sqlite/testing/stores.ts");
    const db = await rawConnection(join(cwd, "pawl", "keys.db"));
    db.exec("UPDATE clients SET revoked_at = NULL, revoked_reason = NULL");
    db.close();
    const { code, stdout, stderr } = await pawl("keys", "verify");
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: "client 1 is not revoked, and the audit log says otherwise\n",
    });
    expect(stderr).toMatch(/not sound: 1 problem; see docs\/OPERATIONS\.md/);
  });
});
