import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Finished, pawl, pawlOnce, type Running } from "./support/pawl.ts";

/** The command as a user has it: processes, terminals aside; every wrong usage, one line, its exit code. */

let cwd = "";
const running: Running[] = [];
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pawl-cli-"));
});
afterEach(async () => {
  for (const { child } of running.splice(0)) child.kill("SIGKILL");
  await rm(cwd, { recursive: true, force: true });
});

const inCwd = (args: string[], env: Record<string, string> = {}) => pawlOnce(args, { cwd, env });
const lines = (text: string) => text.split("\n").filter((line) => line !== "");

/** One line on stderr, nothing on stdout, that exit code. */
function expectFailure({ code, stdout, stderr }: Finished, exitCode: number, pattern: RegExp): void {
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
  expect(lines(stderr)).toHaveLength(1);
  expect(stderr).toMatch(pattern);
  expect(stderr).not.toMatch(/\n\s+at /);
}

async function makeHome(clients = 2): Promise<void> {
  expect((await inCwd(["init"])).code).toBe(0);
  expect((await inCwd(["keys", "add", "--count", String(clients)])).code).toBe(0);
}

async function serve(
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<{ server: Running; address: string }> {
  const server = pawl(["serve", "--listen", "127.0.0.1:0", ...args], { cwd, env });
  running.push(server);
  const [, address = ""] = await server.until(/serves on (\S+),/);
  return { server, address };
}

describe("pawl", () => {
  it("has help with examples for every command, and a version", async () => {
    const commands = [
      [],
      ["demo"],
      ["init"],
      ["keys"],
      ["keys", "add"],
      ["keys", "list"],
      ["keys", "show"],
      ["keys", "revoke"],
      ["keys", "reissue"],
      ["keys", "remove"],
      ["keys", "rename"],
      ["keys", "export"],
      ["keys", "import"],
      ["keys", "rewrap"],
      ["keys", "log"],
      ["keys", "verify"],
      ["backup"],
      ["restore"],
      ["serve"],
      ["connect"],
      ["proxy"],
      ["bench"],
    ];
    const helps = await Promise.all(commands.map((command) => inCwd([...command, "--help"])));
    for (const [index, { code, stdout, stderr }] of helps.entries()) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      if (commands[index]?.join(" ") !== "keys") expect(stdout).toContain("Example");
    }
    const { stdout } = await inCwd(["--version"]);
    expect(stdout).toMatch(/^pawl \d+\.\d+\.\d+, Node\.js [\d.]+, OpenSSL \S+, crypto (native|node)\n$/);
  });

  it("answers wrong usage with one line and exit code 2", async () => {
    const wrong: [string[], RegExp][] = [
      [["frob"], /unknown command 'frob'.*see pawl --help/],
      [["serve", "--bogus"], /unknown option '--bogus'.*see pawl serve --help/],
      [["connect"], /missing required argument 'credential'/],
      [["connect", "a", "b:1", "c"], /too many arguments/],
      [["connect", "a", "b:99999"], /an address is host:port/],
      [["connect", "a", "--padding", "block:0"], /padding is none, pow2 or block:N/],
      [["demo", "--days", "0"], /--days: expected an integer from 1/],
      [["keys", "add", "--id", "0"], /--id: expected an integer from 1/],
      [["keys", "add", "--id", "3", "--count", "2"], /--id is for one client/],
      [["keys", "add", "--suite", "best"], /--suite: expected classic, strict, strict-gcm/],
      [["keys", "add", "--suite", "classic"], /needs --allow-classic/],
      [["keys", "add", "--enrolment", "1"], /--enrolment goes with --psk-file/],
      [
        ["serve", "--max-clients", "many"],
        /--max-clients: expected an integer from 1 to 4294967295, found "many"/,
      ],
      [["serve", "--round-deadline", "1"], /--round-deadline: expected a duration such as 500ms/],
      [["serve", "--listen", "7433"], /--listen: expected an address/],
      [["serve", "--workers", "0"], /--workers: expected an integer from 1 to 256, or auto, found "0"/],
      [["serve", "--aggregates", "median"], /--aggregates: expected product, sum/],
    ];
    const results = await Promise.all(wrong.map(([args]) => inCwd(args)));
    for (const [index, [, pattern]] of wrong.entries()) {
      const result = results[index];
      if (result !== undefined) expectFailure(result, 2, pattern);
    }
  }, 60_000);
});

describe("pawl init and keys", () => {
  it("make a home, refuse to make it twice, enrol, list, and lose nothing", async () => {
    expectFailure(await inCwd(["keys", "list"]), 1, /pawl init/);
    const made = JSON.parse((await inCwd(["init", "--json"])).stdout) as { home: string };
    expect(made.home).toBe(join(cwd, "pawl"));
    expect((await stat(made.home)).mode & 0o777).toBe(0o700);
    for (const file of ["keys.db", "db.key", "pawl.toml"])
      expect((await stat(join(made.home, file))).mode & 0o777).toBe(0o600);
    expectFailure(await inCwd(["init"]), 1, /is there already; nothing was changed/);

    const added = await inCwd(["keys", "add", "--label", "cellar", "--json"]);
    expect(JSON.parse(added.stdout)).toMatchObject({ clientId: 1, suite: "strict", label: "cellar" });
    const credential = join(cwd, "client-1.pawl");
    expect((await stat(credential)).mode & 0o777).toBe(0o600);
    const { key, ...shown } = JSON.parse(await readFile(credential, "utf8")) as Record<string, unknown>;
    expect(shown).toEqual({
      pawl: 1,
      suite: "strict",
      clientId: 1,
      epoch: 0,
      last: "AAAAAAAAAAAAAAAAAAAAAA",
      server: "127.0.0.1:7433",
    });
    expectFailure(
      await inCwd(["keys", "add", "--id", "1", "-o", "other.pawl"]),
      1,
      /client 1 is enrolled already/,
    );
    expect(await readdir(cwd)).toEqual(["client-1.pawl", "pawl"]);
    await writeFile(join(cwd, "client-2.pawl"), "mine");
    expectFailure(await inCwd(["keys", "add"]), 1, /client-2\.pawl: is there already; it is not overwritten/);
    expectFailure(
      await inCwd(["keys", "add", "--count", "100", "-o", "-"]),
      1,
      /raise it with --max-clients/,
    );
    expect(await readFile(join(cwd, "client-2.pawl"), "utf8")).toBe("mine");

    const printed = await inCwd([
      "keys",
      "add",
      "--suite",
      "strict-gcm",
      "-o",
      "-",
      "--server",
      "pawl.example:1",
    ]);
    expect(JSON.parse(printed.stdout)).toMatchObject({
      clientId: 2,
      suite: "strict-gcm",
      server: "pawl.example:1",
    });
    const listed = lines((await inCwd(["keys", "list", "--json"])).stdout).map(
      (line) => JSON.parse(line) as object,
    );
    expect(listed).toMatchObject([
      { clientId: 1, suite: "strict", epoch: 0, label: "cellar", lastSeen: null, revoked: null },
      { clientId: 2, suite: "strict-gcm" },
    ]);
    const table = (await inCwd(["keys", "list"])).stdout;
    expect(table).toMatch(/^ID +SUITE +EPOCH/);
    expect(table).not.toContain(String(key));
    expect(table).not.toContain("\u001b[");
  }, 60_000);

  it("import a pre-shared key once for each enrolment", async () => {
    await inCwd(["init", "--service", "meters"]);
    await writeFile(join(cwd, "short"), "123456789012345\n");
    await writeFile(join(cwd, "psk"), "0123456789abcdef\n");
    const add = (...args: string[]) => inCwd(["keys", "add", "--id", "7", "-o", "-", "--psk-file", ...args]);
    expectFailure(await add("none"), 1, /none/);
    expectFailure(await add("short"), 1, /at least 16 random bytes, not 15/);
    const first = await add("psk");
    expect(JSON.parse(first.stdout)).toMatchObject({ clientId: 7, service: "meters" });
    const again = await add("psk");
    expectFailure(again, 1, /enrolled already|imported/);
  }, 60_000);
});

describe("pawl serve", () => {
  it("reads flags, then variables, then pawl.toml, and says where something is wrong", async () => {
    await makeHome(1);
    const toml = join(cwd, "pawl", "pawl.toml");
    const standard = await readFile(toml, "utf8");
    for (const [text, code, pattern] of [
      ["max-clientz = 3", 1, /pawl\.toml:\d+:1: max-clientz: unknown; expected one of listen, max-clients/],
      ['  round-deadline = "soon"', 1, /pawl\.toml:\d+:3: round-deadline: expected a duration.*found "soon"/],
      ["listen = [1]", 1, /pawl\.toml:\d+:1: listen: expected text/],
      ["listen = = 1", 1, /pawl\.toml:\d+:\d+: /],
    ] as const) {
      await writeFile(toml, `${standard}\n${text}\n`);
      expectFailure(await inCwd(["serve", "--check"]), code, pattern);
    }
    await writeFile(toml, standard);
    expectFailure(
      await inCwd(["serve", "--check"], { PAWL_PADDING: "some" }),
      2,
      /PAWL_PADDING: expected none, pow2/,
    );
    await writeFile(toml, 'max-message = "8KiB"\npadding = "block:64"\n');
    const good = await inCwd(["serve", "--check", "--json"], { PAWL_ROUNDS: "eager" });
    expect(JSON.parse(good.stdout)).toMatchObject({ ok: true, enrolled: 1 });
    expect((await inCwd(["serve", "--check", "--home", "nowhere"])).stderr).toMatch(/pawl init/);
  }, 60_000);

  it("says that a port is in use", async () => {
    await makeHome(1);
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expectFailure(
      await inCwd(["serve", "--listen", `127.0.0.1:${port}`, "--log", "off"]),
      1,
      /the port is in use/,
    );
    taken.close();
  });

  it("says what classic lacks, and runs it only when asked to", async () => {
    await inCwd(["init"]);
    await inCwd(["keys", "add", "--suite", "classic", "--allow-classic"]);
    const { server, address } = await serve(["--allow-classic"]);
    await server.until(/classic is on, for study: whole sessions can be replayed/);
    const client = await pawlOnce(["connect", "client-1.pawl", address], { cwd, input: "1 2 3\n" });
    expect(client).toMatchObject({ code: 0, stdout: "round 1: value 6, product 6 of 1 client\n" });
    server.child.kill("SIGTERM");
    expect((await server.finished).code).toBe(0);
    const { address: strictly } = await serve();
    expectFailure(
      await inCwd(["connect", "client-1.pawl", strictly]),
      1,
      /closed the connection without a word/,
    );
  }, 60_000);
});

describe("in three terminals", () => {
  it("a server and two clients run rounds by hand; ^C ends each cleanly", async () => {
    await makeHome(2);
    const { server, address } = await serve(["--round-deadline", "5s", "--aggregates", "product,sum"]);
    const one = pawl(["connect", "client-1.pawl", address], { cwd });
    const two = pawl(["connect", "client-2.pawl", address, "--json"], { cwd });
    running.push(one, two);
    await Promise.all([one.until(/at epoch 0/), server.until(/listening|serves/)]);
    one.child.stdin?.write("1 2 3\n");
    await one.until(/round 1: value 6, product 6 of 1 client, sum 6\n/);
    two.child.stdin?.write("0.5\n");
    // The round of the second waits for the first.
    await server.until(/client 2: live/);
    one.child.stdin?.write("seven\n");
    await one.until(/round 2: value 5, product 2.5 of 2 clients, sum 5.5\n/);
    await two.until(/"aggregate":"2\.5"/);
    expect(JSON.parse(lines(two.stdout())[0] ?? "")).toEqual({
      round: 2,
      value: "0.5",
      aggregate: "2.5",
      overflow: false,
      contributors: 2,
      also: { sum: "5.5" },
    });

    one.child.kill("SIGINT");
    expect(await one.finished).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/pawl: interrupted\n$/),
    });
    await server.until(/client 1: ended, done/);
    server.child.kill("SIGINT");
    expect((await server.finished).code).toBe(130);
    expect(await two.finished).toMatchObject({ code: 1, stderr: expect.stringContaining("shutdown") });

    const listed = lines((await inCwd(["keys", "list", "--json"])).stdout).map(
      (line) => JSON.parse(line) as { epoch: number },
    );
    expect(listed.map(({ epoch }) => epoch)).toEqual([1, 1]);
    expect((await readdir(cwd)).sort()).toEqual(["client-1.pawl", "client-2.pawl", "pawl"]);
  }, 60_000);

  it("events come as JSON lines, and name the check that refused", async () => {
    await makeHome(1);
    const server = pawl(["serve", "--listen", "127.0.0.1:0", "--json"], { cwd });
    running.push(server);
    const [, port = ""] = await server.until(/"port":(\d+)/);
    const credential = JSON.parse(await readFile(join(cwd, "client-1.pawl"), "utf8")) as { key: string };
    const forged = JSON.stringify({ ...credential, key: "A".repeat(43) });
    await writeFile(join(cwd, "forged.pawl"), forged, { mode: 0o600 });
    expectFailure(await inCwd(["connect", "forged.pawl", `127.0.0.1:${port}`]), 1, /without a word/);
    await server.until(/"type":"violation".*"code":"PAWL_HMAC"/);
    server.child.kill("SIGTERM");
    const { code, stdout, stderr } = await server.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(lines(stdout).map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
      "listening",
      "connection",
      "violation",
      "session-ended",
      "closing",
      "closed",
    ]);
    expect(stdout).not.toContain(credential.key);
  }, 60_000);

  it("a client says what is wrong, with the right exit code", async () => {
    await makeHome(1);
    expectFailure(await inCwd(["connect", "none.pawl"]), 1, /none\.pawl: there is no such file/);
    expectFailure(
      await inCwd(["connect", "client-1.pawl", "127.0.0.1:1"]),
      4,
      /cannot reach 127\.0\.0\.1:1: nothing listens/,
    );
    await chmod(join(cwd, "client-1.pawl"), 0o644);
    expectFailure(await inCwd(["connect", "client-1.pawl"]), 1, /others may read it \(mode 644\)/);
    await writeFile(join(cwd, "bad.pawl"), "{", { mode: 0o600 });
    expectFailure(await inCwd(["connect", "bad.pawl"]), 1, /bad\.pawl: is no JSON/);
    // A server that breaks the protocol is a security violation.
    const garbage = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write(Buffer.from(`00000050${"ee".repeat(80)}`, "hex")));
    });
    garbage.listen(0, "127.0.0.1");
    await once(garbage, "listening");
    const address = garbage.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await chmod(join(cwd, "client-1.pawl"), 0o600);
    expectFailure(
      await inCwd(["connect", "client-1.pawl", `127.0.0.1:${port}`]),
      3,
      /a suite that this side does not run/,
    );
    garbage.close();
  }, 60_000);
});

describe("pawl demo", () => {
  it("tells its story, is checked against another calculation, and leaves nothing behind", async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith("pawl-demo-"));
    const { code, stdout, stderr } = await inCwd(["demo"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("2012-01-02  10.9           10.6      2.8       4.5   rain (4)");
    expect(stdout).toContain("5823.216");
    expect(stdout).toContain("DesyncError (PAWL_DESYNC)");
    expect(stdout).toContain("The attack failed.");
    expect(await readdir(cwd)).toEqual([]);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith("pawl-demo-"))).toEqual(before);
  }, 60_000);

  it("speaks JSON, and runs for as many days as asked", async () => {
    const { code, stdout, stderr } = await inCwd(["demo", "--json", "--days", "30"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const objects = lines(stdout).map((line) => JSON.parse(line) as { type: string });
    expect(objects.map(({ type }) => type)).toEqual([
      ...Array.from({ length: 30 }, () => "round"),
      "attack",
      "after",
    ]);
    expect(objects.at(-2)).toMatchObject({ attack: "replay", refusedBy: "DesyncError", code: "PAWL_DESYNC" });
  }, 60_000);

  it("ends cleanly at ^C", async () => {
    const demo = pawl(["demo", "--days", "100000", "--json"], { cwd });
    running.push(demo);
    await demo.until(/"date"/);
    demo.child.kill("SIGINT");
    expect(await demo.finished).toMatchObject({ code: 130, stderr: "pawl: interrupted\n" });
    expect((await readdir(tmpdir())).filter((name) => name.startsWith("pawl-demo-"))).toEqual([]);
  }, 60_000);
});
