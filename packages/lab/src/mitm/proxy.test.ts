import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { concat, u32 } from "@pawl/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../server/src/testing/fake-clock.ts";
import { delay, hold, pass, replace } from "./actions.ts";
import type { ProxiedConnection } from "./connection.ts";
import type { ObservedFrame } from "./observed.ts";
import { each, type Program } from "./program.ts";
import { createProxy } from "./proxy.ts";
import { Recording } from "./recording.ts";
import { frame } from "./testing/frames.ts";
import { End, type Link, listen, openLink, ruled } from "./testing/link.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
const link = async (...options: Parameters<typeof openLink>): Promise<Link> => {
  const made = await openLink(...options);
  open.push(made);
  return made;
};

const HELLO = frame("HELLO", 0);
const CHALLENGE = frame("CHALLENGE", 0);

/** Waits until a socket takes no more for so long that nobody reads at the other end; how much it took. */
async function fill(socket: Socket, part: Uint8Array, most: number): Promise<number> {
  let taken = 0;
  while (taken < most) {
    const isTaken = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), 500);
      socket.write(part, () => {
        clearTimeout(timer);
        resolve(true);
      });
    });
    if (!isTaken) return taken;
    taken += part.length;
  }
  return taken;
}

describe("the man in the middle", () => {
  it("is byte-identical when it has no rule, and when its rule passes everything", async () => {
    for (const options of [{}, { program: ruled(() => pass) }, { program: function* () {} }]) {
      const { client, server } = await link(options);
      const frames = concat(HELLO, HELLO, u32(100), new Uint8Array(100).fill(7));
      for (const byte of frames) client.socket.write(Uint8Array.of(byte));
      expect(await server.bytes(frames.length)).toEqual(frames);
      server.socket.write(frames);
      expect(await client.bytes(frames.length)).toEqual(frames);
    }
  });

  it("sees whole frames with their headers, in both directions, however they come in pieces", async () => {
    const seen: ObservedFrame[] = [];
    const program = ruled((observed) => {
      seen.push(observed);
      return pass;
    });
    const { client, server } = await link({ program });
    client.socket.write(HELLO.subarray(0, 30));
    client.socket.write(HELLO.subarray(30));
    await server.bytes(HELLO.length);
    server.socket.write(CHALLENGE);
    await client.bytes(CHALLENGE.length);
    expect(seen.map(({ index, direction, header }) => [index, direction, header?.opcode])).toEqual([
      [1, "c2s", "HELLO"],
      [2, "s2c", "CHALLENGE"],
    ]);
    expect(seen[0]?.bytes).toEqual(HELLO);
  });

  it("passes on what is no frame, and a frame that was cut short", async () => {
    const { client, server, proxy } = await link({ program: ruled(() => pass) });
    client.socket.write("GET / HTTP/1.1\r\n\r\n");
    expect(Buffer.from(await server.bytes(18)).toString()).toBe("GET / HTTP/1.1\r\n\r\n");
    const short = concat(u32(80), new Uint8Array(10));
    server.socket.end(short);
    expect(await client.end()).toEqual(short);
    expect(proxy.recording.entries.map(({ kind }) => kind)).toEqual(["open", "unread", "unread", "end"]);
  });

  it("passes on a half-close, behind which the other direction stays open", async () => {
    const { client, server, connection } = await link({ program: ruled(() => pass) });
    client.socket.end(HELLO);
    expect(await server.end()).toEqual(HELLO);
    server.socket.write(CHALLENGE);
    expect(await client.bytes(CHALLENGE.length)).toEqual(CHALLENGE);
    server.socket.end();
    await Promise.all([client.closed(), server.closed(), connection.closed]);
    expect([client.ended, server.ended]).toEqual(["fin", "fin"]);
  });

  it("passes on a reset, also of who has half-closed before", async () => {
    const plain = await link({ program: ruled(() => pass) });
    plain.server.socket.resetAndDestroy();
    await plain.client.closed();
    expect(plain.client.ended).toBe("rst");

    const { client, server, proxy, connection } = await link({ program: ruled(() => pass) });
    client.socket.end(HELLO);
    await server.end();
    client.socket.destroy();
    await expect.poll(() => server.isReset()).toBe(true);
    await connection.closed;
    const ends = proxy.recording.entries.flatMap((entry) =>
      entry.kind === "end" ? [[entry.side, entry.how, entry.by]] : [],
    );
    expect(ends).toEqual([
      ["client", "fin", "victim"],
      ["client", "rst", "victim"],
    ]);
  });

  it("resets a client whose server cannot be reached, and goes on", async () => {
    const listener = createServer();
    const port = await listen(listener);
    listener.close();
    await once(listener, "close");
    const proxy = await createProxy({ upstream: { host: "127.0.0.1", port } });
    open.push(proxy);
    for (const number of [1, 2]) {
      const client = new End(connect({ host: proxy.host, port: proxy.port }));
      client.socket.write(HELLO);
      await client.closed();
      expect(client.ended).toBe("rst");
      expect(proxy.recording.entries.filter(({ connection }) => connection === number)).toMatchObject([
        { kind: "open", port: null },
        { kind: "note", text: expect.stringContaining("ECONNREFUSED") },
        { kind: "end", side: "client", how: "rst", by: "attacker" },
      ]);
    }
  });

  it("lets the attacker play the server", async () => {
    const program = ruled(({ header }) =>
      header?.opcode === "HELLO"
        ? { do: "inject", direction: "s2c", bytes: CHALLENGE, note: "his own" }
        : pass,
    );
    const proxy = await createProxy({ upstream: null, program });
    open.push(proxy);
    const client = new End(connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true }));
    client.socket.write(HELLO);
    expect(await client.bytes(CHALLENGE.length)).toEqual(CHALLENGE);
    client.socket.end(frame("DATA"));
    await once(client.socket, "finish");
    await expect.poll(() => proxy.recording.entries.at(-1)?.kind).toBe("end");
    expect(proxy.recording.entries).toMatchObject([
      { kind: "open", client: "victim", server: "attacker", port: null },
      { kind: "seen", direction: "c2s", did: "injected to the client: his own" },
      { kind: "sent", direction: "s2c", of: null },
      { kind: "seen", direction: "c2s", did: "received" },
      { kind: "end", side: "client", how: "fin", by: "victim" },
    ]);
  });

  it("does not read on while its receiver does not", async () => {
    const limit = 64 << 20;
    const big = frame("DATA", 1, { packet: 65_536 });
    for (const program of [ruled(() => pass), undefined]) {
      const { client, server } = await link(program === undefined ? {} : { program });
      server.socket.pause();
      const taken = await fill(client.socket, big, limit);
      // What the system's buffers hold, on two connections; far from what the proxy could.
      expect(taken).toBeLessThan(limit / 2);
      server.socket.resume();
      expect((await server.bytes(taken)).length).toBeGreaterThanOrEqual(taken);
    }
  });

  it("does not read on while what it sends back, or delays, piles up", async () => {
    const limit = 64 << 20;
    const big = frame("DATA", 1, { packet: 65_536 });
    const reflected = await link({ program: ruled(() => ({ do: "reflect" })) });
    reflected.client.socket.pause();
    expect(await fill(reflected.client.socket, big, limit)).toBeLessThan(limit / 2);

    const clock = new FakeClock();
    const delayed = await link({ clock, program: ruled(({ index }) => (index === 1 ? delay(10) : pass)) });
    const taken = await fill(delayed.client.socket, big, limit);
    expect(taken).toBeLessThan(limit / 2);
    clock.advance(10);
    expect((await delayed.server.bytes(taken)).length).toBeGreaterThanOrEqual(taken);
  });

  it("lets the sender go on when a receiver that did not read has gone", async () => {
    const { client, server } = await link({ program: ruled(() => pass) });
    server.socket.pause();
    await fill(client.socket, frame("DATA", 1, { packet: 65_536 }), 64 << 20);
    server.socket.resetAndDestroy();
    await client.closed();
    expect(client.ended).toBe("rst");
  });

  it("says what came too late to be sent", async () => {
    const { client, server, connection, proxy } = await link({ program: ruled(() => pass) });
    server.socket.end();
    await client.end();
    connection.inject("s2c", CHALLENGE, "a CHALLENGE");
    expect(proxy.recording.entries.at(-1)).toMatchObject({
      kind: "note",
      text: "too late to be sent, the client is gone: a CHALLENGE",
    });
  });

  it("closes what is half-closed when it is cut, or closed", async () => {
    for (const end of ["cut", "close"] as const) {
      const { client, server, connection, proxy } = await link({ program: ruled(() => pass) });
      client.socket.end(HELLO);
      await server.end();
      if (end === "cut") connection.cut("rst");
      else await proxy.close();
      await connection.closed;
      await client.closed();
      expect(client.ended).toBe("rst");
      await expect.poll(() => server.isReset()).toBe(true);
    }
  });

  it("closes what is reset while its end is still on its way", async () => {
    const { client, server, connection } = await link({ program: ruled(() => pass) });
    connection.cut("fin");
    connection.cut("rst");
    await connection.closed;
    client.socket.end();
    server.socket.end();
    await Promise.all([client.closed(), server.closed()]);
  });

  it("writes its own end down as the attacker's when it is closed", async () => {
    const recording = new Recording();
    const { client, server, proxy } = await link({ recording, program: ruled(() => hold) });
    client.socket.write(HELLO);
    await expect.poll(() => recording.frames().length).toBe(1);
    await proxy.close();
    await Promise.all([client.closed(), server.closed()]);
    const ends = recording.entries.filter(({ kind }) => kind === "end");
    expect(ends).toMatchObject([
      { side: "client", by: "attacker" },
      { side: "server", by: "attacker" },
    ]);
  });
});

describe("a program", () => {
  it("that has returned lets everything pass", async () => {
    const program = function* () {
      const first: ObservedFrame = yield;
      yield replace("another", concat(first.bytes, first.bytes));
    };
    const { client, server } = await link({ program });
    for (let count = 0; count < 3; count++) client.socket.write(HELLO);
    expect(await server.bytes(4 * HELLO.length)).toEqual(concat(HELLO, HELLO, HELLO, HELLO));
  });

  it.each([
    [
      "when it is made",
      () => {
        throw new Error("no");
      },
    ],
    [
      "before the first frame",
      // biome-ignore lint/correctness/useYield: it does not come so far
      function* (): Program {
        throw new Error("no");
      },
    ],
    [
      "at a frame",
      function* (): Program {
        yield;
        throw new Error("no");
      },
    ],
  ])("that throws %s ends its connection, with a note, and no other", async (_when, broken) => {
    const program = (connection: ProxiedConnection) => (connection.id === 1 ? broken() : each(() => pass));
    const { client, server, proxy } = await link({ program });
    client.socket.write(HELLO);
    await Promise.all([client.closed(), server.closed()]);
    expect([client.ended, server.ended, server.received.length]).toEqual(["rst", "rst", 0]);
    const notes = proxy.recording.entries.flatMap((entry) => (entry.kind === "note" ? [entry.text] : []));
    expect(notes).toEqual(["the program of the attack failed: no"]);
    const other = new End(connect({ host: proxy.host, port: proxy.port }));
    other.socket.write(HELLO);
    await expect
      .poll(() => proxy.recording.frames({ connection: 2 }).map(({ bytes }) => bytes))
      .toEqual([HELLO]);
    other.socket.destroy();
  });
});
