import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectError, HandshakeRefusedError, HandshakeTimeoutError, SessionEndedError } from "@pawl/client";
import { HmacError } from "@pawl/protocol";
import type { PawlServerEvent } from "@pawl/server";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pawlIn, worldIn } from "../../../test/support/world.ts";
import { describeEvent, short } from "./describe.ts";
import { CommandError, EXIT, exitCodeOf, InterruptedError, lineOf, UsageError } from "./exit.ts";
import { type Io, Output, table, toJson, wantsColour } from "./io.ts";
import { run } from "./run.ts";
import { defaultToml, readSettings, SETTINGS, variableOf } from "./settings.ts";

let cwd = "";
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pawl-run-"));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const command = (...argv: string[]) => pawlIn(cwd, argv);

describe("run", () => {
  it("serves and connects in one process, as it does in many", async () => {
    expect(await command("init")).toMatchObject({ code: 0 });
    expect(await command("keys", "add", "--count", "2", "-o", ".")).toMatchObject({ code: 0, stderr: "" });
    const serving = worldIn(cwd, "", { PAWL_LISTEN: "127.0.0.1:0", PAWL_LOG: "json" });
    const served = run(["serve"], serving.io);
    await expect.poll(() => /serves on (\S+),/.exec(serving.stdout())?.[1]).toBeTruthy();
    const address = /serves on (\S+),/.exec(serving.stdout())?.[1] ?? "";

    const client = worldIn(cwd, "1 2\nx\n");
    expect(await run(["connect", join(cwd, "client-1.pawl"), address, "--cover-first"], client.io)).toBe(0);
    expect(client.stdout()).toBe(
      "round 2: value 3, product 3 of 1 client\nround 3: value 1, product 1 of 1 client\n",
    );
    const json = worldIn(cwd, "7\n");
    expect(await run(["connect", join(cwd, "client-2.pawl"), address, "--json"], json.io)).toBe(0);
    expect(JSON.parse(json.stdout())).toMatchObject({ round: 4, aggregate: "7" });

    serving.stop("SIGTERM");
    expect(await served).toBe(0);
    expect(serving.stderr()).toContain('"type":"session-live"');
    const listed = await command("keys", "list");
    expect(listed.stdout.split("\n").map((line) => line.split(/\s+/)[2])).toEqual([
      "EPOCH",
      "1",
      "1",
      undefined,
    ]);
    const shown = await command("serve", "--check", "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject({ ok: true, enrolled: 2 });
  });

  it("loses no line to renewals, and counts none twice", async () => {
    await command("init");
    await command("keys", "add", "--count", "2", "-o", ".");
    const serving = worldIn(cwd, "", { PAWL_LISTEN: "127.0.0.1:0", PAWL_LOG: "off", PAWL_ROUNDS: "eager" });
    const served = run(["serve", "--max-session-rounds", "2"], serving.io);
    await expect.poll(() => /serves on (\S+),/.exec(serving.stdout())?.[1]).toBeTruthy();
    const address = /serves on (\S+),/.exec(serving.stdout())?.[1] ?? "";
    const numbers = [1, 2, 3, 4, 5, 6, 7];
    const client = worldIn(cwd, numbers.map((n) => `${n}\n`).join(""));
    expect(await run(["connect", join(cwd, "client-1.pawl"), address], client.io)).toBe(0);
    expect(
      client
        .stdout()
        .split("\n")
        .map((line) => /value (\d+), product (\d+) of 1 client/.exec(line)?.slice(1)),
    ).toEqual([...numbers.map((n) => [String(n), String(n)]), undefined]);
    expect(client.stderr()).toContain("client 1 at epoch 0; ^D ends\nrenewed, at epoch 1\n");
    const json = worldIn(cwd, "8\n9\n10\n");
    expect(await run(["connect", join(cwd, "client-2.pawl"), address, "--json"], json.io)).toBe(0);
    expect(json.stderr()).toBe("");
    expect(
      json
        .stdout()
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { value: string }).value),
    ).toEqual(["8", "9", "10"]);
    serving.stop("SIGTERM");
    expect(await served).toBe(0);
  });

  it("tells the demo's story", async () => {
    const { code, stdout, stderr } = await command("demo", "--days", "2");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("The attack failed.");
  });

  it("gives one line and an exit code for what goes wrong", async () => {
    expect(await command("keys", "list")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^pawl: .*pawl init.*\n$/),
    });
    expect(await command("nonsense")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown command"),
    });
    expect(await command("--help")).toMatchObject({ code: 0, stderr: "" });
    expect(await command()).toMatchObject({ code: 2 });
    expect(await command("connect", join(cwd, "none"))).toMatchObject({ code: 1 });
  });
});

describe("settings", () => {
  it("have a commented file that says the defaults, and take it as it is", async () => {
    await command("init");
    const text = await readFile(join(cwd, "pawl", "pawl.toml"), "utf8");
    expect(text).toBe(defaultToml());
    const standard = readSettings({}, {}, join(cwd, "pawl"));
    const { writeFile } = await import("node:fs/promises");
    await writeFile(join(cwd, "pawl", "pawl.toml"), text.replaceAll(/^#(?=[a-z-]+ = )/gm, ""));
    expect(readSettings({}, {}, join(cwd, "pawl"))).toEqual(standard);
    for (const name of Object.keys(SETTINGS)) expect(variableOf(name)).toMatch(/^PAWL_[A-Z_]+$/);
  });
});

describe("exit codes", () => {
  it("follow from what was thrown", () => {
    const violation = { cause: new HmacError("x") };
    const codes: [unknown, number][] = [
      [new UsageError("x"), EXIT.usage],
      [new CommandError("x"), EXIT.failed],
      [new InterruptedError(), EXIT.interrupted],
      [new HmacError("x"), EXIT.violation],
      [new SessionEndedError("x", null, true, violation), EXIT.violation],
      [new SessionEndedError("x", "shutdown", false), EXIT.failed],
      [new ConnectError("a:1", "ECONNREFUSED"), EXIT.unreachable],
      [new ConnectError("a:1", "ABORTED"), EXIT.interrupted],
      [new HandshakeTimeoutError(5), EXIT.unreachable],
      [new HandshakeRefusedError(violation), EXIT.failed],
      [new Error("x"), EXIT.failed],
      ["x", EXIT.failed],
    ];
    for (const [error, code] of codes) expect(exitCodeOf(error)).toBe(code);
    expect(lineOf(new Error("two\n  lines\n"))).toBe("two lines");
  });
});

describe("output", () => {
  it("is coloured on terminals alone, unless told", () => {
    const io = (isTTY: boolean, env: Record<string, string>) =>
      ({ ...worldIn(cwd).io, stdout: { isTTY }, env }) as unknown as Io;
    expect(wantsColour(io(true, {}))).toBe(true);
    expect(wantsColour(io(false, {}))).toBe(false);
    expect(wantsColour(io(true, { NO_COLOR: "1" }))).toBe(false);
    expect(wantsColour(io(true, { TERM: "dumb" }))).toBe(false);
    expect(wantsColour(io(false, { FORCE_COLOR: "1", NO_COLOR: "1" }))).toBe(true);
    expect(wantsColour(io(true, { FORCE_COLOR: "0" }))).toBe(false);
    const { io: plain } = worldIn(cwd, "", { FORCE_COLOR: "1" });
    expect(new Output(plain, false).bold("x")).toBe("\u001b[1mx\u001b[22m");
    expect(new Output(plain, true).bold("x")).toBe("x");
  });

  it("makes tables, and JSON of what JSON has no word for", () => {
    expect(
      table([
        ["A", "BB"],
        ["ccc", "d"],
      ]),
    ).toEqual(["A    BB", "ccc  d"]);
    expect(toJson({ generation: 255n, t: Uint8Array.of(1, 255) })).toBe(
      '{"generation":"00000000000000ff","t":"01ff"}',
    );
    expect(short("9".repeat(50))).toBe(`${"9".repeat(30)}… (50 characters)`);
    expect(short(null)).toBe("over 100,000 digits");
  });

  it("has words for every event", () => {
    const common = { at: 0, connection: 1, remoteAddress: "192.0.2.1", clientId: 7, epoch: 3 };
    const events = [
      { type: "connection" },
      { type: "handshake", suite: "strict" },
      { type: "session-ended", live: false, cause: "deadline", reason: null, by: null, clientId: null },
      {
        type: "violation",
        code: "PAWL_HMAC",
        error: "HmacError",
        message: "the tag is wrong",
        phase: "ready",
        authenticated: true,
      },
      { type: "stale-epoch", stored: 4, authenticated: false },
      { type: "clone-detected", stored: 4, authenticated: true },
      { type: "clone-revoked" },
      { type: "alarms-unrecorded", count: 9, message: "too many" },
      { type: "overdue", movedAt: 1_700_000_000_000 },
      { type: "half-open-evicted", limit: "all" },
      { type: "handshake-throttled" },
      { type: "challenge-budget" },
      { type: "client-cap", cap: 100 },
      { type: "slow-reader", queuedBytes: 5 },
      { type: "commit", purpose: "catch-up", outcome: "lost", latencyMs: 1 },
      { type: "store-error", operation: "commit", message: "disk" },
      { type: "store-unavailable", message: "disk" },
      { type: "store-available", downMs: 2_000 },
      { type: "refused", reason: "store-unavailable" },
      { type: "application-error", message: "broken" },
      { type: "listener-error", message: "broken" },
      { type: "worker-started", worker: 1, pid: 4_711 },
      { type: "worker-ended", worker: 1, pid: 4_711, how: "SIGKILL", againInMs: 100 },
      { type: "worker-ended", worker: 1, pid: null, how: "exit code 0", againInMs: null },
    ].map((event) => describeEvent({ ...common, ...event } as unknown as PawlServerEvent));
    for (const { level, text } of events) {
      expect(["debug", "info", "warn", "error"]).toContain(level);
      expect(text.length).toBeGreaterThan(10);
      expect(text).not.toContain("undefined");
    }
  });
});
