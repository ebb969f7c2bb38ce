import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { concat, STRICT, u32 } from "@pawl/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { ClientPeer } from "../../../protocol/src/testing/peers.ts";
import { ID, SECRET } from "../../../protocol/src/testing/states.ts";
import { type Actions, drop, pass, replace } from "./actions.ts";
import type { ProxiedConnection } from "./connection.ts";
import type { ObservedFrame } from "./observed.ts";
import { flipBit } from "./packet.ts";
import { each } from "./program.ts";
import { createProxy, type FrameProxy } from "./proxy.ts";

let [server, proxy]: [Server | null, FrameProxy | null] = [null, null];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy?.close();
  server?.close();
  [server, proxy] = [null, null];
});

/** A server that keeps what it gets, and a client that is connected to it through the proxy. */
async function through(rule?: (frame: ObservedFrame, connection: ProxiedConnection) => Actions) {
  server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  proxy = await createProxy({
    upstream: { host: "127.0.0.1", port },
    ...(rule === undefined ? {} : { program: (connection) => each((frame) => rule(frame, connection)) }),
  });
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const client = connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true });
  const [upstream] = await accepted;
  sockets.push(client, upstream);
  const got = { client: [] as Buffer[], upstream: [] as Buffer[] };
  client.on("data", (chunk: Buffer) => got.client.push(chunk));
  upstream.on("data", (chunk: Buffer) => got.upstream.push(chunk));
  for (const socket of [client, upstream]) socket.on("error", () => {});
  const received = async (side: "client" | "upstream", bytes: number) => {
    const socket = side === "client" ? client : upstream;
    while (Buffer.concat(got[side]).length < bytes) await once(socket, "data");
    return new Uint8Array(Buffer.concat(got[side]));
  };
  return { client, upstream, received };
}

const closeOf = (socket: Socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()));

function hello(): Uint8Array {
  const peer = new ClientPeer({
    suite: STRICT,
    clientId: ID,
    epoch: 0 as never,
    secret: SECRET,
    last: new Uint8Array(16),
  });
  peer.start();
  return peer.sent[0] ?? new Uint8Array();
}

describe("the man in the middle", () => {
  it("is byte-identical when it has no rule, and when its rule passes everything", async () => {
    for (const rule of [undefined, () => pass]) {
      const { client, upstream, received } = await through(rule);
      const frames = concat(hello(), hello(), u32(100), new Uint8Array(100).fill(7));
      for (const byte of frames) client.write(Uint8Array.of(byte));
      expect(await received("upstream", frames.length)).toEqual(frames);
      upstream.write(frames);
      expect(await received("client", frames.length)).toEqual(frames);
      await proxy?.close();
    }
  });

  it("sees whole frames with their headers, in both directions", async () => {
    const seen: ObservedFrame[] = [];
    const { client, upstream, received } = await through((frame) => {
      seen.push(frame);
      return pass;
    });
    const frame = hello();
    client.write(frame.subarray(0, 30));
    client.write(frame.subarray(30));
    await received("upstream", frame.length);
    upstream.write(frame);
    await received("client", frame.length);
    expect(seen.map(({ index, direction, header }) => [index, direction, header?.opcode])).toEqual([
      [1, "c2s", "HELLO"],
      [2, "s2c", "HELLO"],
    ]);
    expect(seen[0]?.bytes).toEqual(frame);
  });

  it("drops, replaces and injects", async () => {
    const frame = hello();
    const altered = flipBit(frame, 16, 3);
    let connection: ProxiedConnection | null = null;
    const { client, received } = await through((observed, through) => {
      connection = through;
      if (observed.index === 1) return drop;
      return observed.index === 2 ? replace("two", altered, frame) : pass;
    });
    client.write(frame);
    client.write(frame);
    expect(await received("upstream", 2 * frame.length)).toEqual(concat(altered, frame));
    const injected = connection as ProxiedConnection | null;
    injected?.inject("s2c", Uint8Array.of(9, 9), "two bytes");
    expect(await received("client", 2)).toEqual(Uint8Array.of(9, 9));
    injected?.inject("c2s", Uint8Array.of(8), "one byte");
    expect((await received("upstream", 2 * frame.length + 1)).at(-1)).toBe(8);
  });

  it("passes on what is no frame, and a frame that was cut short", async () => {
    const { client, upstream, received } = await through(() => pass);
    client.write("GET / HTTP/1.1\r\n\r\n");
    expect(Buffer.from(await received("upstream", 18)).toString()).toBe("GET / HTTP/1.1\r\n\r\n");
    upstream.write(concat(u32(80), new Uint8Array(10)));
    upstream.end();
    expect(await received("client", 14)).toEqual(concat(u32(80), new Uint8Array(10)));
  });

  it("passes on half-closes and resets, and can cut", async () => {
    const half = await through(() => pass);
    half.client.end();
    await once(half.upstream, "end");
    half.upstream.write("still open");
    await half.received("client", 10);
    const reset = closeOf(half.client);
    half.upstream.resetAndDestroy();
    await reset;
    await proxy?.close();

    const { client, upstream } = await through((_frame, connection) => {
      connection.cut();
      return drop;
    });
    const both = Promise.all([closeOf(client), closeOf(upstream)]);
    client.write(hello());
    await both;
  });
});
