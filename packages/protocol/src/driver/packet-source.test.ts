import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { u32 } from "../bytes.ts";
import { PacketSource, type StreamEvent } from "./packet-source.ts";
import { type SocketPair, socketPair } from "./testing/socket-pair.ts";

const LIMIT = 1_000;

let pair: SocketPair | null = null;

afterEach(() => pair?.done());

/** A source at the accepted side, which is asked for all that is there whenever something is. */
async function source() {
  const opened = await socketPair();
  pair = opened;
  const events: StreamEvent[] = [];
  const source = new PacketSource(opened.accepted, () => {
    for (let event = source.next(LIMIT); event !== null; event = source.next(LIMIT)) {
      events.push(event);
      if (event.type !== "packet") break;
    }
  });
  return { ...opened, events, source };
}

function frame(length: number): Buffer {
  return Buffer.concat([u32(length), Buffer.alloc(length, length & 0xff)]);
}

describe("a source of packets", () => {
  it("gives whole packets in their order, however they come, and then the end", async () => {
    const { client, events } = await source();
    const lengths = [100, 101, 999, 102];
    const stream = Buffer.concat(lengths.map(frame));
    for (const [from, to] of [
      [0, 2],
      [2, 50],
      [50, 500],
      [500, stream.length],
    ]) {
      client.write(stream.subarray(from, to));
      await sleep(5);
    }
    client.end();
    await expect.poll(() => events.at(-1)?.type).toBe("end-of-stream");
    const packets = events.flatMap((event) => (event.type === "packet" ? [event.packet] : []));
    expect(packets.map((packet) => packet.length)).toEqual(lengths);
    expect(Buffer.concat(packets.map((packet) => frame(packet.length))).equals(stream)).toBe(true);
    expect(packets.every((packet) => packet.every((byte) => byte === (packet.length & 0xff)))).toBe(true);
  });

  it("gives an error for a frame that is too long as soon as its length is there", async () => {
    const { client, events } = await source();
    client.write(u32(LIMIT + 1));
    await expect.poll(() => events).toMatchObject([{ type: "frame-error" }]);
  });

  it("takes a reset for the end", async () => {
    const { client, events } = await source();
    client.resetAndDestroy();
    await expect.poll(() => events.at(-1)?.type).toBe("end-of-stream");
  });

  it("reads nothing while it is told not to", async () => {
    const { client, events, source: under } = await source();
    under.flow(false);
    client.write(frame(100));
    await sleep(50);
    expect(events).toEqual([]);
    under.flow(true);
    await expect.poll(() => events).toHaveLength(1);
  });

  it("forgets what is there when it is closed, and keeps nothing of what still comes", async () => {
    const { client, accepted, events, source: under } = await source();
    client.write(frame(100).subarray(0, 50));
    await expect.poll(() => under.buffered).toBe(50);
    under.close();
    expect(under.buffered).toBe(0);
    const before = accepted.bytesRead;
    client.write(frame(200));
    await expect.poll(() => accepted.bytesRead).toBe(before + 204);
    client.end();
    await once(accepted, "end");
    expect([under.buffered, events.filter(({ type }) => type === "packet")]).toEqual([0, []]);
  });
});
