import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { is, Recording } from "@pawl/lab";
import { CLASSIC } from "@pawl/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../packages/cli/src/run.ts";
import { type Fleet, startFleet } from "./support/fleet.ts";
import { pawlIn, worldIn } from "./support/world.ts";

/** `pawl proxy` between real clients and a real server. */

let cwd = "";
let fleet: Fleet | null = null;
const proxies: Proxy[] = [];
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "pawl-proxy-"));
});
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.end();
  await fleet?.close();
  fleet = null;
  await rm(cwd, { recursive: true });
});

interface Proxy {
  readonly port: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Ends it by ^C; its exit code. */
  end(): Promise<number>;
}

/** Waits until it listens; it shows what it does for people. */
async function proxyTo(upstream: number, ...args: string[]): Promise<Proxy> {
  const { io, stdout, stderr, stop } = worldIn(cwd);
  const at = ["--listen", "127.0.0.1:0", "--upstream", `127.0.0.1:${upstream}`];
  const ended = run(["proxy", ...at, ...args], io);
  const port = await Promise.race([
    expect
      .poll(stdout)
      .toMatch(/proxy on|"listening"/)
      .then(() => /127\.0\.0\.1:(\d+),|"port":(\d+)/.exec(stdout())),
    ended.then((code) => {
      throw new Error(`ended with ${code}: ${stderr()}`);
    }),
  ]);
  const proxy: Proxy = {
    port: Number(port?.[1] ?? port?.[2]),
    stdout,
    stderr,
    end: () => {
      stop("SIGINT");
      return ended;
    },
  };
  proxies.push(proxy);
  return proxy;
}

const servers = (count: number, options: Parameters<typeof startFleet>[1] = {}) =>
  startFleet(count, { rounds: { deadlineMs: 200 }, ...options });
/** What is shown of frames and of connections, without times and columns. */
const shown = (text: string) =>
  text
    .split("\n")
    .filter((line) => /^\d\d:/.test(line))
    .map((line) => line.replace(/^\S+\s+/, "").replaceAll(/\s+/g, " "));
const objects = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("pawl proxy", () => {
  it("shows each frame with its header, and changes nothing", async () => {
    fleet = await servers(1);
    const proxy = await proxyTo(fleet.port);
    const session = await fleet.connect(0, { port: proxy.port });
    expect(await session.send("2 3")).toMatchObject({ value: "5", aggregate: "5" });
    await session.close();
    await expect.poll(() => shown(proxy.stdout()).length).toBe(8);
    const lines = shown(proxy.stdout());
    expect(lines[0]).toMatch(/^#1 a client has connected; the server sees port \d+$/);
    expect(lines.slice(1, 6)).toEqual([
      "#1 → HELLO strict 132 bytes client 1 epoch 0 round 0 passed",
      "#1 ← CHALLENGE strict 148 bytes client 1 epoch 0 round 0 passed",
      "#1 → DATA strict 84 bytes client 1 epoch 0 round 1 passed",
      expect.stringMatching(/^#1 ← AGGREGATE strict \d+ bytes client 1 epoch 0 round 1 passed$/),
      "#1 → TERMINATE strict 84 bytes client 1 epoch 0 round 2 passed",
    ]);
    expect(lines.slice(6).sort()).toEqual([
      "#1 the client ended its stream (FIN)",
      "#1 the server ended its stream (FIN)",
    ]);
    expect(await proxy.end()).toBe(130);
    expect(proxy.stderr()).toBe("pawl: interrupted\n");
  });

  it("does what the attacks say, and shows it", async () => {
    fleet = await servers(1);
    const attacks = ["--attack", "replay:frame=3", "--attack", "delay:opcode=CHALLENGE,ms=10"];
    const proxy = await proxyTo(fleet.port, ...attacks);
    expect(proxy.stdout()).toContain("attack: replay:frame=3\nattack: delay:opcode=CHALLENGE,ms=10\n");
    const session = await fleet.connect(0, { port: proxy.port });
    // The DATA itself may be answered before its copy ends the session.
    await session.send("5").catch(() => {});
    const { error } = await fleet.event("violation");
    expect(["UnexpectedOpcodeError", "DesyncError"]).toContain(error);
    await expect.poll(() => shown(proxy.stdout()).at(-1)).toMatch(/ended its stream|reset/);
    const lines = shown(proxy.stdout());
    expect(lines).toContainEqual(expect.stringMatching(/^#1 ← CHALLENGE .* passed 10 ms later$/));
    expect(lines).toContainEqual(expect.stringMatching(/^#1 ← CHALLENGE .* sent: 10 ms late$/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^#1 → DATA .* passed, injected to the server: frame 3 once more$/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^#1 → DATA .* injected: frame 3 once more$/));
  });

  it("writes a recording and a capture as it goes, which can be read while it runs", async () => {
    fleet = await servers(2);
    const files = [
      "--record",
      "run.jsonl",
      "--pcap",
      "run.pcapng",
      "--attack",
      "flip:opcode=DATA,field=tag,bit=3",
    ];
    const proxy = await proxyTo(fleet.port, ...files);
    const session = await fleet.connect(0, { port: proxy.port });
    await session.send("5").catch(() => {});
    await session.closed;
    expect((await fleet.event("violation")).error).toBe("HmacError");
    const read = async () =>
      Recording.fromLines((await readFile(join(cwd, "run.jsonl"), "utf8")).split("\n"));
    await expect
      .poll(async () => (await read()).entries.filter(({ kind }) => kind === "end").length)
      .toBeGreaterThan(0);
    const frames = (await read()).frames();
    expect(frames.map(({ header }) => header?.opcode).slice(0, 3)).toEqual(["HELLO", "CHALLENGE", "DATA"]);
    const capture = await readFile(join(cwd, "run.pcapng"));
    expect(capture.readUInt32BE(0)).toBe(0x0a0d0d0a);
    expect(capture.includes("flip:opcode=DATA,field=tag,bit=3: bit 3 of byte 0 of tag turned")).toBe(true);
    const data = frames.find(is("DATA"));
    expect(capture.includes(Buffer.from(data?.bytes ?? []))).toBe(true);
  });

  it("puts a frame of a recording into another session", async () => {
    fleet = await servers(1);
    const first = await proxyTo(fleet.port, "--record", "old.jsonl");
    const old = await fleet.connect(0, { port: first.port });
    await old.send("2");
    await old.close();
    await first.end();
    const second = await proxyTo(fleet.port, "--attack", "splice:from=old.jsonl,frame=3,at=3");
    const session = await fleet.connect(0, { port: second.port });
    await session.send("3").catch(() => {});
    const { error } = await fleet.event("violation");
    expect(error).toBe("EpochError");
    expect(shown(second.stdout())).toContainEqual(
      expect.stringMatching(/^#1 → DATA .* DATA of a recording in its place$/),
    );
  });

  it("plays a recorded client of classic to the server, which takes it, and a recorded server to a client", async () => {
    fleet = await servers(1, { suite: CLASSIC });
    const first = await proxyTo(fleet.port, "--record", "old.jsonl");
    const old = await fleet.connect(0, { port: first.port });
    await old.send("2");
    await old.close();
    await first.end();
    await fleet.event("session-ended");
    const replayed = await proxyTo(fleet.port, "--attack", "replay-client:from=old.jsonl");
    await expect
      .poll(() => shown(replayed.stdout()))
      .toContainEqual(expect.stringMatching(/^#1 the server sent CHALLENGE, AGGREGATE and/));
    const impostor = await proxyTo(fleet.port, "--json", "--attack", "replay-server:from=old.jsonl");
    expect(objects(impostor.stdout())[0]).toMatchObject({ type: "listening", upstream: null });
    const fooled = await fleet.connect(0, { port: impostor.port });
    expect(await fooled.send("3")).toMatchObject({ round: 1, value: "2", aggregate: "2" });
    expect(objects(impostor.stdout())).toContainEqual(
      expect.objectContaining({ type: "sent", direction: "s2c", opcode: "CHALLENGE" }),
    );
  });

  it("has one object a line with --json", async () => {
    fleet = await servers(1);
    const proxy = await proxyTo(fleet.port, "--json", "--attack", "drop:opcode=TERMINATE");
    const session = await fleet.connect(0, { port: proxy.port });
    await session.send("2");
    await session.close();
    await expect.poll(() => objects(proxy.stdout()).at(-1)?.type).toBe("end");
    const all = objects(proxy.stdout());
    expect(all[0]).toEqual({
      type: "listening",
      host: "127.0.0.1",
      port: proxy.port,
      upstream: { host: "127.0.0.1", port: fleet.port },
      attacks: ["drop:opcode=TERMINATE"],
    });
    const frames = all.filter(({ type }) => type === "seen");
    expect(frames[2]).toEqual({
      type: "seen",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      connection: 1,
      direction: "c2s",
      length: 84,
      opcode: "DATA",
      suite: "strict",
      clientId: 1,
      epoch: 0,
      round: 1,
      frame: 3,
      did: "passed",
    });
    expect(frames.at(-1)).toMatchObject({ opcode: "TERMINATE", did: "dropped" });
    expect((await fleet.event("violation")).error).toBe("TruncationError");
    expect(await proxy.end()).toBe(130);
  });

  it("goes on when the server cannot be reached, and when somebody speaks another language", async () => {
    const listener = createServer((socket) => socket.resume());
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const address = listener.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    listener.close();
    await once(listener, "close");
    const proxy = await proxyTo(port);
    fleet = await servers(1);
    for (const number of [1, 2]) {
      await expect(fleet.connect(0, { port: proxy.port })).rejects.toThrow();
      await expect
        .poll(() => shown(proxy.stdout()))
        .toEqual(
          expect.arrayContaining([
            `#${number} a client has connected`,
            expect.stringMatching(new RegExp(`^#${number} the server cannot be reached: .*ECONNREFUSED`)),
            `#${number} the attacker reset the connection (RST) to the client`,
          ]),
        );
    }
    const other = await proxyTo(fleet.port);
    await fetch(`http://127.0.0.1:${other.port}/`).catch(() => {});
    await expect
      .poll(() => shown(other.stdout()))
      .toContainEqual(expect.stringMatching(/^#1 → \d+ bytes that are no frame$/));
  });

  it("answers wrong usage with one line and exit code 2, and opens nothing", async () => {
    await writeFile(join(cwd, "bad.jsonl"), "nonsense\n");
    const wrong: [string[], RegExp][] = [
      [["--attack", "frob"], /^pawl: --attack: there is no attack "frob"; expected drop, .*, found "frob"$/m],
      [["--attack", "delay:frame=3"], /--attack: delay needs ms=N, found "delay:frame=3"/],
      [["--attack", "splice:from=none.jsonl,frame=1,at=1"], /none\.jsonl: there is no such file/],
      [["--attack", "replay-client:from=bad.jsonl"], /bad\.jsonl: line 1: /],
      [["--listen", "7434"], /--listen: expected an address/],
      [["--upstream", "127.0.0.1:0"], /--upstream: a server listens on a port/],
      [["extra"], /too many arguments/],
    ];
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await pawlIn(cwd, ["proxy", "--record", "new.jsonl", ...args]);
      expect({ code, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({
        code: 2,
        stdout: "",
        lines: 1,
      });
      expect(stderr).toMatch(message);
    }
    await expect(readFile(join(cwd, "new.jsonl"))).rejects.toThrow("ENOENT");
  });

  it("says what is wrong with its port and its files, with exit code 1", async () => {
    fleet = await servers(0);
    const busy = await pawlIn(cwd, ["proxy", "--listen", `127.0.0.1:${fleet.port}`]);
    expect(busy).toMatchObject({ code: 1, stdout: "" });
    expect(busy.stderr).toMatch(/^pawl: cannot listen on 127\.0\.0\.1:\d+: the port is in use; .*\n$/);
    const file = await pawlIn(cwd, ["proxy", "--listen", "127.0.0.1:0", "--record", "no/such/folder"]);
    expect(file).toMatchObject({ code: 1, stdout: "" });
    expect(file.stderr).toMatch(
      /^pawl: .*no\/such\/folder cannot be written: there is no such file or folder\n$/,
    );
  });

  it("ends, with an error, when a file cannot be written any more", async () => {
    fleet = await servers(1);
    const { io, stdout, stderr } = worldIn(cwd);
    const at = ["--listen", "127.0.0.1:0", "--upstream", `127.0.0.1:${fleet.port}`];
    const ended = run(["proxy", ...at, "--record", "/dev/full"], io);
    expect(await ended).toBe(1);
    expect(stdout()).toBe("");
    expect(stderr()).toBe("pawl: /dev/full cannot be written: the disk is full\n");
  });
});
