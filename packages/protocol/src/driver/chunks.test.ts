import { once } from "node:events";
import { type AddressInfo, createServer, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { onChunk } from "./chunks.ts";
import { type SocketPair, socketPair } from "./testing/socket-pair.ts";

const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function connection(): Promise<SocketPair> {
  const pair = await socketPair();
  open.push({ close: pair.done });
  return pair;
}

/** All bytes that come until the end. */
function collect(socket: Socket): { chunks: Buffer[]; whole: Promise<Buffer> } {
  const chunks: Buffer[] = [];
  onChunk(socket, (chunk) => chunks.push(chunk));
  return { chunks, whole: once(socket, "end").then(() => Buffer.concat(chunks)) };
}

const STREAM = Buffer.from(Uint8Array.from({ length: 1_000_003 }, (_, at) => (at * 7 + (at >> 8)) & 0xff));

describe("the chunks of a socket", () => {
  it.each(["client", "accepted"] as const)("are all bytes in their order, at the %s side", async (side) => {
    const both = await connection();
    const other = side === "client" ? both.accepted : both.client;
    const { chunks, whole } = collect(both[side]);
    for (let at = 0, size = 1; at < STREAM.length; at += size, size = (size * 3) % 70_001)
      other.write(STREAM.subarray(at, at + size));
    other.end();
    expect((await whole).equals(STREAM)).toBe(true);
    expect(new Set(chunks.map(({ buffer }) => buffer)).size).toBeGreaterThan(1);
  });

  it.each(["client", "accepted"] as const)("take no stream of Node.js at the %s side", async (side) => {
    const socket = (await connection())[side];
    collect(socket);
    expect(socket.listenerCount("data")).toBe(0);
  });

  it("have memory of their own, each", async () => {
    const { client, accepted } = await connection();
    const { chunks } = collect(accepted);
    for (const size of [10, 5_000]) {
      for (const byte of [1, 2]) {
        client.write(Buffer.alloc(size, byte));
        await expect.poll(() => Buffer.concat(chunks).at(-1)).toBe(byte);
      }
      expect(Buffer.concat(chunks.splice(0))).toEqual(
        Buffer.concat([Buffer.alloc(size, 1), Buffer.alloc(size, 2)]),
      );
    }
  });

  it("stop while the socket is paused, and lose nothing", async () => {
    const { client, accepted } = await connection();
    const { chunks, whole } = collect(accepted);
    client.write("one");
    await expect.poll(() => chunks.length).toBe(1);
    accepted.pause();
    client.end("two");
    await sleep(50);
    expect(chunks.length).toBe(1);
    accepted.resume();
    expect(String(await whole)).toBe("onetwo");
  });

  it("do not begin where the socket was paused before", async () => {
    const { client, accepted } = await connection();
    accepted.pause();
    const { chunks, whole } = collect(accepted);
    client.end("one");
    await sleep(50);
    expect(chunks.length).toBe(0);
    accepted.resume();
    expect(String(await whole)).toBe("one");
  });

  it("begin with what was buffered before", async () => {
    const { client, accepted } = await connection();
    client.write("one");
    await expect.poll(() => accepted.readableLength).toBe(3);
    const { whole } = collect(accepted);
    client.end("two");
    expect(String(await whole)).toBe("onetwo");
  });

  it("come from a socket of another kind as from any stream", async () => {
    class Tapped extends Socket {}
    const server = createServer((accepted) => accepted.end("one"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const socket = new Tapped();
    open.push({ close: () => socket.destroy() }, server);
    socket.connect(port, "127.0.0.1");
    await once(socket, "connect");
    const { whole } = collect(socket);
    expect(socket.listenerCount("data")).toBe(1);
    expect(String(await whole)).toBe("one");
  });
});
