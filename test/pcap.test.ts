import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  AttackerConnection,
  createProxy,
  cut,
  delay,
  type Entry,
  each,
  flip,
  inject,
  is,
  pass,
  playServer,
  Recording,
  writePcap,
} from "@pawl/lab";
import { concat, type Direction, toHex } from "@pawl/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Fleet, startFleet } from "./support/fleet.ts";
import { hasTshark } from "./support/machine.ts";

/** A capture of a lab run, read by Wireshark's own dissectors. Where there is no tshark this is skipped by name. */

const run = promisify(execFile);
const FILTER_BAD =
  "_ws.malformed || tcp.analysis.flags || !(ip.checksum.status == 1) || !(tcp.checksum.status == 1)";

let folder = "";
let fleet: Fleet | null = null;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-pcap-"));
});
afterAll(async () => {
  await fleet?.close();
  await rm(folder, { recursive: true });
});

async function tshark(file: string, ...args: string[]): Promise<string[]> {
  const check = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"];
  const { stdout } = await run("tshark", ["-r", file, ...check, ...args], { maxBuffer: 64 << 20 });
  return stdout.split("\n").filter((line) => line !== "");
}

/** What went over one leg of a connection in one direction, by the recording. */
function bytesOf(entries: readonly Entry[], kind: "seen" | "sent", direction: Direction): string {
  const parts = entries.flatMap((entry) =>
    (entry.kind === kind || entry.kind === "unread") && entry.direction === direction ? [entry.bytes] : [],
  );
  return toHex(concat(...parts));
}

/** A TCP stream as tshark puts it together again: the client's bytes, the server's. */
async function follow(file: string, stream: number): Promise<{ client: string; server: string }> {
  const lines = await tshark(file, "-q", "-z", `follow,tcp,raw,${stream}`);
  const hex = lines.filter((line) => /^\t?[0-9a-f]+$/.test(line));
  const join = (isServer: boolean) =>
    hex
      .filter((line) => line.startsWith("\t") === isServer)
      .map((line) => line.trim())
      .join("");
  return { client: join(false), server: join(true) };
}

/** Sessions through the man in the middle, as unlike each other as can be; each with a recording of its own. */
async function record(): Promise<{ name: string; recording: Recording }[]> {
  fleet = await startFleet(4, { rounds: { deadlineMs: 200 }, maxMessage: 1 << 20 });
  const upstream = { host: "127.0.0.1", port: fleet.port };
  const recordings: { name: string; recording: Recording }[] = [];
  const through = async (
    index: number,
    name: string,
    decide: Parameters<typeof each>[0],
    messages: string[],
  ) => {
    const proxy = await createProxy({ upstream, program: () => each(decide) });
    recordings.push({ name, recording: proxy.recording });
    const session = await fleet?.connect(index, { port: proxy.port });
    // Some of them are meant to fail.
    for (const message of messages) await session?.send(message).catch(() => {});
    await session?.close();
    await session?.closed;
    await proxy.close();
    return proxy.recording;
  };
  // A first message is short; what is as long as this is cut into many segments.
  const whole = await through(0, "nothing", () => pass, ["1 2 3", "4 ".repeat(200_000)]);
  await through(1, "tamper", (frame) => (is("DATA")(frame) ? flip(frame, -1) : pass), ["5"]);
  const [data] = whole.frames().filter(is("DATA"));
  if (data === undefined) throw new Error("no DATA was seen");
  const replay = (frame: typeof data) =>
    is("AGGREGATE")(frame) ? [delay(20), inject("c2s", data.bytes, "the DATA of round 1 once more")] : pass;
  await through(2, "replay", replay, ["7"]);
  await through(3, "truncate", (frame) => (is("DATA")(frame) ? cut("rst", 40) : pass), ["11"]);

  const own = new Recording();
  recordings.push({ name: "own", recording: own });
  const attacker = await AttackerConnection.open(own, upstream);
  attacker.send(data.bytes, "a DATA without a HELLO");
  await once(attacker.socket, "end");
  attacker.end("fin");

  const server = () => playServer(whole.frames({ direction: "s2c" }));
  const impostor = await createProxy({ upstream: null, program: server });
  recordings.push({ name: "impostor", recording: impostor.recording });
  const client = connect({ host: impostor.host, port: impostor.port });
  // He resets what is open when he goes.
  client.on("error", () => {});
  client.end(concat(...whole.frames({ direction: "c2s" }).map(({ bytes }) => bytes)));
  const answers = whole.frames({ direction: "s2c" }).reduce((sum, { bytes }) => sum + bytes.length, 0);
  let got = 0;
  client.on("data", (chunk: Buffer) => {
    got += chunk.length;
  });
  await expect.poll(() => got).toBe(answers);
  await impostor.close();
  return recordings;
}

describe.skipIf(!hasTshark)("a capture file (needs tshark)", () => {
  it("is one that Wireshark finds nothing wrong with, with each byte where it was, and every comment", async () => {
    const recordings = await record();
    const file = join(folder, "run.pcapng");
    await writePcap(file, recordings);

    expect(await tshark(file, "-Y", FILTER_BAD)).toEqual([]);
    const packets = await tshark(file);
    expect(packets.length).toBeGreaterThan(400);

    // Each recording is one connection: two streams, or one where the attacker is an end of it.
    const legs = recordings.flatMap(({ name, recording: { entries } }) => {
      const between = { client: ["seen", "sent"], server: ["sent", "seen"] } as const;
      const [open] = entries;
      if (open?.kind !== "open") throw new Error(`${name}: no beginning`);
      const sides = [
        ...(open.client === "victim" ? (["client"] as const) : []),
        ...(open.server === "victim" ? (["server"] as const) : []),
      ];
      return sides.map((side) => {
        const [c2s, s2c] = between[side];
        return { name, side, client: bytesOf(entries, c2s, "c2s"), server: bytesOf(entries, s2c, "s2c") };
      });
    });
    // tshark counts streams in the order in which they begin.
    const streams = await tshark(
      file,
      "-Y",
      "tcp.flags.syn == 1 && tcp.flags.ack == 0",
      "-T",
      "fields",
      "-e",
      "frame.interface_name",
      "-e",
      "ip.src",
      "-e",
      "tcp.stream",
    );
    expect(streams.map((line) => line.split("\t"))).toEqual(
      legs.map(({ name, side }, at) => [name, side === "client" ? "127.0.0.1" : "127.0.0.2", String(at)]),
    );
    for (const [at, { name, side, client, server }] of legs.entries()) {
      expect(await follow(file, at), `${name}, at the ${side}`).toEqual({ client, server });
    }

    const comments = await tshark(file, "-Y", "frame.comment", "-T", "fields", "-e", "frame.comment");
    expect(comments).toContain("nothing: the client connects to the attacker");
    expect(
      comments.filter((comment) => /^tamper: bit 0 of byte \d+ \(tag\) turned$/.test(comment)),
    ).toHaveLength(2);
    expect(comments).toContain("replay: injected: the DATA of round 1 once more");
    expect(comments).toContain("replay: 20 ms late");
    expect(comments).toContain("truncate: the first 40 bytes");
    expect(comments).toContain("own: injected: a DATA without a HELLO");
    const resets = await tshark(
      file,
      "-Y",
      "tcp.flags.reset == 1",
      "-T",
      "fields",
      "-e",
      "frame.comment",
      "-e",
      "ip.dst",
    );
    expect(resets).toEqual(
      expect.arrayContaining([
        "truncate: the attacker resets the connection\t127.0.0.1",
        "truncate: the attacker resets the connection\t127.0.0.3",
      ]),
    );
  });
});
