import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concat } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { Recording } from "../mitm/index.ts";
import { observe } from "../mitm/observed.ts";
import { frame } from "../mitm/testing/frames.ts";
import { PcapWriter, pcapOf, writePcap } from "./pcap.ts";
import { Ports } from "./ports.ts";
import { packetOf, TCP_FLAGS } from "./segment.ts";

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

/** The blocks of a file; each has its length at both ends. */
function blocksOf(file: Uint8Array): Block[] {
  const bytes = Buffer.from(file);
  const blocks: Block[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    expect(length % 4).toBe(0);
    expect(bytes.readUInt32BE(at + length - 4)).toBe(length);
    blocks.push({ type: bytes.readUInt32BE(at), body: bytes.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

function textsOf(options: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at + 4 <= options.length && options.readUInt16BE(at) !== 0; ) {
    const length = options.readUInt16BE(at + 2);
    texts.push(options.toString("utf8", at + 4, at + 4 + length));
    at += 4 + length + (-length & 3);
  }
  return texts;
}

/** Packets as `on time from>to flags length`, with their comments. */
function packetsOf(file: Uint8Array) {
  return blocksOf(file)
    .filter(({ type }) => type === 6)
    .map(({ body }) => {
      const length = body.readUInt32BE(12);
      const packet = body.subarray(20, 20 + length);
      const flags = packet.readUInt8(33);
      const names = Object.entries(TCP_FLAGS).flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : [name]));
      return {
        on: body.readUInt32BE(0),
        time: body.readUInt32BE(4) * 2 ** 32 + body.readUInt32BE(8),
        from: packet.readUInt8(15),
        to: packet.readUInt8(19),
        flags: names.join(),
        payload: packet.subarray(20 + (packet.readUInt8(32) >> 4) * 4),
        comments: textsOf(body.subarray(20 + length + (-length & 3))),
      };
    });
}
type Packet = ReturnType<typeof packetsOf>[number];
const withPayload = (packets: readonly Packet[]) => packets.filter(({ payload }) => payload.length > 0);
const arrows = (packets: readonly Packet[]) =>
  packets.map(({ from, to, flags, payload }) => `${from}>${to} ${flags} ${payload.length}`);

function recordingOf(build: (recording: Recording) => void, startedAt = 1_000): Recording {
  const recording = new Recording(startedAt);
  build(recording);
  return recording;
}
const open = { kind: "open", connection: 1, client: "victim", server: "victim", port: 40_000 } as const;
const fileOf = (...recordings: Recording[]) =>
  concat(...pcapOf(recordings.map((recording, at) => ({ name: `attack ${at + 1}`, recording }))));

describe("a capture file", () => {
  it("has a section, the names of the three parties, and an interface for each recording", () => {
    const [section, names, ...rest] = blocksOf(fileOf(new Recording(), new Recording()));
    expect(section?.type).toBe(0x0a0d0d0a);
    expect(section?.body.readUInt32BE(0)).toBe(0x1a2b3c4d);
    expect(textsOf(section?.body.subarray(16) ?? Buffer.alloc(0))[0]).toBe("pawl");
    expect(names?.type).toBe(4);
    expect(names?.body.toString("latin1")).toMatch(/client\0.*attacker\0.*server\0/s);
    expect(rest.map(({ type, body }) => [type, body.readUInt16BE(0), textsOf(body.subarray(8))])).toEqual([
      [1, 101, ["attack 1"]],
      [1, 101, ["attack 2"]],
    ]);
  });

  it("tells a frame that is altered on its way as two packets, and what was done in a comment", () => {
    const [data, other] = [frame("DATA", 1), frame("DATA", 2)];
    const recording = recordingOf((into) => {
      into.add(open);
      into.add({ kind: "seen", ...observe(1, 1, "c2s", data), did: "another in its place" });
      into.add({ kind: "sent", connection: 1, direction: "c2s", bytes: other, of: 1, note: "another" });
      into.add({ kind: "sent", connection: 1, direction: "s2c", bytes: data, of: null, note: "a DATA" });
      into.note("the server: HmacError", 1);
    });
    const packets = packetsOf(fileOf(recording));
    const [seen, sent, injected] = withPayload(packets);
    expect(arrows(packets.slice(0, 6))).toEqual([
      "1>2 syn 0",
      "2>1 syn,ack 0",
      "1>2 ack 0",
      "2>3 syn 0",
      "3>2 syn,ack 0",
      "2>3 ack 0",
    ]);
    expect(seen).toMatchObject({ from: 1, to: 2, comments: ["attack 1: another in its place"] });
    expect(new Uint8Array(seen?.payload ?? [])).toEqual(data);
    expect(sent).toMatchObject({ from: 2, to: 3, comments: ["attack 1: another"] });
    expect(new Uint8Array(sent?.payload ?? [])).toEqual(other);
    expect(injected).toMatchObject({
      from: 2,
      to: 1,
      comments: ["attack 1: injected: a DATA", "attack 1: the server: HmacError"],
    });
  });

  it("has no comment where nothing was done, and bytes that are no frame on both sides", () => {
    const recording = recordingOf((into) => {
      into.add(open);
      into.add({ kind: "seen", ...observe(1, 1, "s2c", frame("CHALLENGE", 0)), did: "passed" });
      into.add({
        kind: "sent",
        connection: 1,
        direction: "s2c",
        bytes: frame("CHALLENGE", 0),
        of: 1,
        note: null,
      });
      into.add({ kind: "unread", connection: 1, direction: "c2s", bytes: Uint8Array.of(1, 2, 3) });
    });
    expect(
      withPayload(packetsOf(fileOf(recording))).map(({ from, to, comments }) => [from, to, comments]),
    ).toEqual([
      [3, 2, []],
      [2, 1, []],
      [1, 2, ["attack 1: no frame"]],
      [2, 3, []],
    ]);
  });

  it("passes ends on: at once, behind what is delayed, and never twice", () => {
    const bytes = frame("DATA", 1);
    const recording = recordingOf((into) => {
      into.add(open);
      into.add({ kind: "end", connection: 1, side: "client", how: "fin", by: "victim", waits: true });
      into.add({ kind: "sent", connection: 1, direction: "c2s", bytes, of: 1, note: "late" });
      into.add({ kind: "end", connection: 1, side: "server", how: "fin", by: "attacker" });
      into.add({ kind: "end", connection: 1, side: "server", how: "fin", by: "victim" });
      into.add({ kind: "sent", connection: 1, direction: "s2c", bytes, of: null, note: "too late" });
      into.add({ kind: "end", connection: 1, side: "client", how: "rst", by: "attacker" });
    });
    expect(arrows(packetsOf(fileOf(recording))).slice(6)).toEqual([
      "1>2 fin,ack 0",
      "2>1 ack 0",
      "2>3 psh,ack 84",
      "3>2 ack 0",
      "2>3 fin,ack 0",
      "3>2 ack 0",
      "3>2 fin,ack 0",
      "2>3 ack 0",
      "2>1 fin,ack 0",
      "1>2 ack 0",
    ]);
  });

  it("passes a reset on, and shows the attacker's own", () => {
    const end = { kind: "end", connection: 1, how: "rst" } as const;
    const passed = recordingOf((into) => {
      into.add(open);
      into.add({ ...end, side: "server", by: "victim" });
    });
    const cut = recordingOf((into) => {
      into.add(open);
      into.add({ ...end, side: "client", by: "attacker" });
      into.add({ ...end, side: "server", by: "attacker" });
    });
    expect(arrows(packetsOf(fileOf(passed))).slice(6)).toEqual(["3>2 rst,ack 0", "2>1 rst,ack 0"]);
    const packets = packetsOf(fileOf(cut)).slice(6);
    expect(arrows(packets)).toEqual(["2>1 rst,ack 0", "2>3 rst,ack 0"]);
    expect(packets[0]?.comments).toEqual(["attack 1: the attacker resets the connection"]);
  });

  it("leaves out a side where the attacker is himself", () => {
    const bytes = frame("HELLO", 0);
    const impostor = recordingOf((into) => {
      into.add({ ...open, server: "attacker", port: null });
      into.add({ kind: "seen", ...observe(1, 1, "c2s", bytes), did: "received" });
      into.add({ kind: "end", connection: 1, side: "client", how: "fin", by: "victim" });
      into.add({ kind: "end", connection: 1, side: "client", how: "fin", by: "attacker" });
    });
    expect(arrows(packetsOf(fileOf(impostor))).slice(3)).toEqual([
      "1>2 psh,ack 84",
      "2>1 ack 0",
      "1>2 fin,ack 0",
      "2>1 ack 0",
      "2>1 fin,ack 0",
      "1>2 ack 0",
    ]);
    const own = recordingOf((into) => {
      into.add({ ...open, client: "attacker" });
      into.add({ kind: "sent", connection: 1, direction: "c2s", bytes, of: null, note: "a HELLO" });
      into.add({ kind: "end", connection: 1, side: "server", how: "fin", by: "victim" });
      into.add({ kind: "end", connection: 1, side: "client", how: "fin", by: "attacker" });
    });
    expect(arrows(packetsOf(fileOf(own))).slice(3)).toEqual([
      "2>3 psh,ack 84",
      "3>2 ack 0",
      "3>2 fin,ack 0",
      "2>3 ack 0",
      "2>3 fin,ack 0",
      "3>2 ack 0",
    ]);
    const unreachable = recordingOf((into) => {
      into.add({ ...open, port: null });
      into.add({ kind: "end", connection: 1, side: "client", how: "rst", by: "attacker" });
    });
    expect(arrows(packetsOf(fileOf(unreachable)))).toEqual([
      "1>2 syn 0",
      "2>1 syn,ack 0",
      "1>2 ack 0",
      "2>1 rst,ack 0",
    ]);
  });

  it("weaves recordings together in the order of time, which never stands still", () => {
    const line = (text: string) => ({
      kind: "open",
      connection: Number(text),
      client: "victim",
      server: "attacker",
    });
    const at = (startedAt: number, times: readonly number[]) =>
      Recording.fromLines([
        JSON.stringify({ recording: 1, startedAt: new Date(startedAt).toISOString() }),
        ...times.map((time, index) => JSON.stringify({ ...line(String(index + 1)), port: null, at: time })),
      ]);
    const packets = packetsOf(fileOf(at(1_000, [0, 10, 10]), at(1_005, [0, 20])));
    const syns = packets.filter(({ flags }) => flags === "syn");
    expect(syns.map(({ on, time }) => [on, Math.floor(time / 1_000)])).toEqual([
      [0, 1_000],
      [1, 1_005],
      [0, 1_010],
      [0, 1_010],
      [1, 1_025],
    ]);
    const times = packets.map(({ time }) => time);
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
  });

  it("can be written as it goes, and in one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pawl-pcap-"));
    try {
      const recording = new Recording(5_000);
      const blocks: Uint8Array[] = [];
      const add = new PcapWriter((block) => blocks.push(block)).begin("attack 1", recording.startedAt);
      recording.onEntry((entry) => add(entry));
      recording.add(open);
      recording.add({ kind: "seen", ...observe(1, 1, "c2s", frame("DATA", 1)), did: "dropped" });
      const path = join(folder, "run.pcapng");
      await writePcap(path, [{ name: "attack 1", recording }]);
      expect(new Uint8Array(await readFile(path))).toEqual(concat(...blocks));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("cuts what is too long for a comment", () => {
    const recording = recordingOf((into) => {
      into.add(open);
      into.add({ kind: "seen", ...observe(1, 1, "c2s", frame("DATA", 1)), did: "x".repeat(100_000) });
    });
    expect(withPayload(packetsOf(fileOf(recording)))[0]?.comments[0]).toMatch(/^attack 1: x{1900,2000}$/);
  });
});

describe("a segment", () => {
  const sum = (bytes: Uint8Array) => {
    let total = 0;
    for (let at = 0; at < bytes.length; at += 2) total += ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
    while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
    return total;
  };

  it("has checksums that make the sums come out, for even and odd payloads", () => {
    const [from, to] = [
      { address: [127, 0, 0, 1], port: 50_000 },
      { address: [127, 0, 0, 2], port: 7433 },
    ];
    for (const bytes of [0, 1, 2, 1_459, 1_460]) {
      const payload = new Uint8Array(bytes).fill(0xfe);
      const packet = packetOf({ from, to, seq: 2 ** 32 - 1, ack: 5, flags: TCP_FLAGS.ack, payload });
      const pseudo = Uint8Array.of(127, 0, 0, 1, 127, 0, 0, 2, 0, 6, (20 + bytes) >> 8, 20 + bytes);
      expect(sum(packet.subarray(0, 20))).toBe(0xffff);
      expect(sum(concat(pseudo, packet.subarray(20)))).toBe(0xffff);
    }
  });
});

describe("ports", () => {
  it("are those that are wanted where they are free, and never two the same while there are others", () => {
    const ports = new Ports();
    expect([ports.take(50_000), ports.take(50_000), ports.take(), ports.take(49_154), ports.take()]).toEqual([
      50_000, 49_152, 49_153, 49_154, 49_155,
    ]);
    const many = new Ports();
    expect(new Set(Array.from({ length: 16_384 }, () => many.take())).size).toBe(16_384);
    expect(many.take()).toBeGreaterThanOrEqual(49_152);
  });
});
