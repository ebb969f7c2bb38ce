import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeCredentialFile } from "@pawl/client";
import { ATTACKS, CLAIMS, createProxy, drop, each, type FrameProxy, is, pass } from "@pawl/lab";
import { type ClientId, type Epoch, STRICT, STRICT_GCM } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run as runCommand } from "../packages/cli/src/run.ts";
import { type Fleet, startFleet } from "./support/fleet.ts";
import { pawlIn, worldIn } from "./support/world.ts";

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pawl-lab-"));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("the catalogue", () => {
  it("has an attack for every claim, a claim for every attack, and no name twice", () => {
    const tried = new Set(ATTACKS.map(({ claim }) => claim));
    expect([...tried].sort()).toEqual(Object.keys(CLAIMS).sort());
    const names = ATTACKS.map(({ id }) => id);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name in CLAIMS).toBe(false);
  });

  it("is whole: every attack says who attacks, how, and why it works where it does", () => {
    for (const { id, title, adversary, steps, expected, weakness } of ATTACKS) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
      for (const text of [title, adversary, ...steps])
        expect(text.length, `${id}: ${text}`).toBeGreaterThan(10);
      expect(steps.length, id).toBeGreaterThan(0);
      for (const suite of ["strict", "strict-gcm"] as const) expect(expected[suite], id).not.toBe("works");
      expect(weakness !== undefined, id).toBe(expected.classic === "works");
    }
  });
});

describe("pawl lab list and show", () => {
  it("names every attack, for people and for machines", async () => {
    const { code, stdout } = await pawlIn(cwd, ["lab", "list"]);
    expect(code).toBe(0);
    for (const { id, title } of ATTACKS)
      expect(stdout).toMatch(new RegExp(`^${id} .*${title.replaceAll("?", "\\?")}$`, "m"));
    const listed = lines((await pawlIn(cwd, ["--json", "lab", "list"])).stdout);
    expect(listed.map(({ id }) => id)).toEqual(ATTACKS.map(({ id }) => id));
    expect(listed[0]).toMatchObject({ claim: ATTACKS[0]?.claim, expected: ATTACKS[0]?.expected });
  });

  it("tells one attack, and says where to look for one that there is not", async () => {
    const { code, stdout } = await pawlIn(cwd, ["lab", "show", "replay-client-session"]);
    expect(code).toBe(0);
    for (const part of ["Claim", "Rests on", "Attacker", "Steps", "Expected", "Because"])
      expect(stdout).toContain(part);
    const unknown = await pawlIn(cwd, ["lab", "show", "nothing"]);
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(unknown.stderr).toBe(
      'pawl: there is no attack or claim "nothing"; pawl lab list names them all\n',
    );
  });
});

describe("pawl lab run", () => {
  it("prints a table, and exits 0 where all is as it is said to be", async () => {
    const ran = await pawlIn(cwd, ["lab", "run", "--only", "replay-data,session-replay", "--honest", "3"]);
    expect(ran.stderr).toBe("");
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^CLAIM +ATTACK +SUITE +THE ATTACKER +WHAT HAPPENED +VERDICT$/m);
    expect(ran.stdout).toMatch(/^replay +replay-data +classic, strict, strict-gcm .*held$/m);
    expect(ran.stdout).toMatch(/^session-replay +replay-client-session +classic .*shown$/m);
    expect(ran.stdout).toMatch(/3 honest clients, \d+ rounds, every aggregate right, no session harmed/);
    expect(ran.stdout).toMatch(/held, \d+ shown in [\d.]+ s\. Every claim that was tried held/);
  });

  it("prints one object a line with --json, of one suite", async () => {
    const argv = ["lab", "run", "--only", "replay-data", "--suite", "strict", "--honest", "3", "--json"];
    const { code, stdout } = await pawlIn(cwd, argv);
    expect(code).toBe(0);
    const [result, summary, ...more] = lines(stdout);
    expect(more).toEqual([]);
    expect(result).toMatchObject({
      type: "result",
      attack: "replay-data",
      claim: "replay",
      suite: "strict",
      verdict: "held",
      cases: [
        { worked: false, verdict: "held" },
        { worked: false, refusedBy: "DesyncError", verdict: "held" },
        { worked: false, refusedBy: "DesyncError", verdict: "held" },
      ],
    });
    expect(summary).toMatchObject({ type: "summary", ok: true, honest: [{ clients: 3, wrong: [] }] });
  });

  it("leaves a page and a capture, whole and nothing beside them", async () => {
    const argv = ["lab", "run", "--only", "replay-data", "--suite", "strict", "--honest", "3"];
    const { code } = await pawlIn(cwd, [...argv, "--report", "lab.html", "--pcap", "lab.pcapng"]);
    expect(code).toBe(0);
    expect((await readdir(cwd)).sort()).toEqual(["lab.html", "lab.pcapng"]);
    const page = await readFile(join(cwd, "lab.html"), "utf8");
    expect(page).toMatch(/^<!doctype html>.*replay-data.*<\/html>\s*$/s);
    const capture = await readFile(join(cwd, "lab.pcapng"));
    expect(capture.readUInt32LE(0)).toBe(0x0a0d0d0a);
    expect(capture.includes("replay-data on strict")).toBe(true);
  });

  it("says before the work that a file cannot be written, and leaves none of a run that failed", async () => {
    const argv = ["lab", "run", "--only", "replay-data", "--report", "lab.html"];
    const nowhere = await pawlIn(cwd, [...argv, "--pcap", "none/lab.pcapng"]);
    expect(nowhere).toMatchObject({ code: 1, stdout: "" });
    expect(nowhere.stderr).toMatch(/none\/lab\.pcapng cannot be written \(ENOENT\); check its folder/);
    const folder = await pawlIn(cwd, ["lab", "run", "--only", "replay-data", "--report", "."]);
    expect(folder).toMatchObject({ code: 1, stdout: "" });
    expect(folder.stderr).toMatch(/is a folder; name a file in it/);
    const world = worldIn(cwd);
    const run = runCommand(argv, world.io);
    setTimeout(() => world.stop("SIGINT"), 300);
    expect(await run).toBe(130);
    expect(await readdir(cwd)).toEqual([]);
  });

  it.each([
    [["--only", "replays"], /no attack or claim "replays"/],
    [["--only", ""], /no attack or claim ""/],
    [["--suite", "tls"], /--suite: expected all, classic, strict, strict-gcm/],
    [["--honest", "0"], /--honest: expected an integer from 1/],
    [["--credential", "x.pawl"], /--credential goes with --target/],
    [["--i-own-this-host"], /--i-own-this-host goes with --target/],
    [["--target", "127.0.0.1:7433"], /takes the credentials/],
    [
      ["--target", "127.0.0.1:7433", "--credential", "x", "--suite", "strict"],
      /--suite does not go with --target/,
    ],
    [
      ["--target", "127.0.0.1:7433", "--credential", "x", "--honest", "3"],
      /--honest does not go with --target/,
    ],
    [["--target", "nowhere", "--credential"], /argument missing/],
    [["--target", "127.0.0.1:x", "--credential", "x"], /--target: an address is/],
    [
      ["--target", "192.0.2.7:7433", "--credential", "x"],
      /192\.0\.2\.7 is not this machine; .*--i-own-this-host/,
    ],
  ])("refuses %j", async (argv, says) => {
    const { code, stdout, stderr } = await pawlIn(cwd, ["lab", "run", ...argv]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(says);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("pawl lab run --target", () => {
  let fleet: Fleet;
  let box: FrameProxy | null = null;
  afterEach(async () => {
    await box?.close();
    box = null;
    await fleet.close();
  });

  async function enrol(id: number, suite = STRICT): Promise<string> {
    const path = join(cwd, `client-${id}.pawl`);
    const secret = systemRandom(32);
    const clientId = id as ClientId;
    await fleet.keys.add([{ clientId, suite, secret }]);
    await writeCredentialFile(path, { suite, clientId, epoch: 0 as Epoch, secret, last: new Uint8Array(16) });
    return path;
  }
  const run = (port: number, ...argv: string[]) =>
    pawlIn(cwd, ["--json", "lab", "run", "--target", `localhost:${port}`, "--only", "replay-data", ...argv]);

  it("judges somebody else's server by the wire, and moves the credential forward", async () => {
    fleet = await startFleet(0);
    const credential = await enrol(1);
    const { code, stdout } = await run(fleet.port, "--credential", credential);
    expect(code).toBe(0);
    const [result, summary] = lines(stdout);
    expect(result).toMatchObject({ verdict: "held" });
    for (const one of result.cases) expect(one).toMatchObject({ refusedBy: null, worked: false });
    expect(summary).toMatchObject({ honest: [], ok: true });
    expect(JSON.parse(await readFile(credential, "utf8"))).toMatchObject({ epoch: 3 });
  });

  it("exits 1 where a server lets an attack pass", async () => {
    fleet = await startFleet(0);
    const credential = await enrol(1);
    // What is in front of it swallows the copy, so that the server never refuses it.
    let seen = 0;
    box = await createProxy({
      upstream: { host: "127.0.0.1", port: fleet.port },
      program: () => each((frame) => (is("DATA")(frame) && ++seen > 1 ? drop : pass)),
    });
    const { code, stdout, stderr } = await run(box.port, "--credential", credential);
    expect(code).toBe(1);
    expect(lines(stdout)[0]).toMatchObject({ verdict: "broken", cases: [{ worked: true }] });
    expect(stderr).toBe("pawl: not as the specification says: replay-data on strict (broken)\n");
  });

  it("says what is missing: nobody there, no credential, two suites", async () => {
    fleet = await startFleet(0);
    const credential = await enrol(1);
    const closed = createNetServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const address = closed.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    const nobody = await run(port, "--credential", credential);
    expect(nobody.code).toBe(4);
    expect(nobody.stderr).toMatch(/cannot reach 127\.0\.0\.1:\d+: nothing listens there/);

    const missing = await run(fleet.port, "--credential", join(cwd, "none.pawl"));
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/none\.pawl/);

    const mixed = await run(fleet.port, "--credential", credential, await enrol(2, STRICT_GCM));
    expect(mixed.code).toBe(1);
    expect(mixed.stderr).toMatch(
      /client 2 is of suite strict-gcm, client 1 of strict; give those of one suite/,
    );
  });
});
