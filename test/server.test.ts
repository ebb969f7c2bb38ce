import { setTimeout as sleep } from "node:timers/promises";
import { connect, memoryCredential } from "@pawl/client";
import {
  type ClientId,
  copyOf,
  type Epoch,
  EpochSecret,
  nodeCrypto,
  STRICT,
  STRICT_GCM,
  utf8,
} from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { createServer } from "@pawl/server";
import { createMemoryStore, type KeyStore } from "@pawl/server/keys";
import { afterEach, describe, expect, it } from "vitest";
import { ClientPeer } from "../packages/protocol/src/testing/peers.ts";
import { FakeClock } from "../packages/server/src/testing/fake-clock.ts";
import { inTime, tally } from "../packages/server/src/testing/in-time.ts";
import { credentialOf, type Fleet, startFleet } from "./support/fleet.ts";
import { RawConnection } from "./support/raw.ts";
import { failing, withMethods } from "./support/stores.ts";

let fleet: Fleet;
const raws: RawConnection[] = [];
afterEach(async () => {
  for (const raw of raws.splice(0)) raw.destroy();
  await fleet?.close();
});

async function raw(): Promise<RawConnection> {
  const connection = await RawConnection.open(fleet.port);
  raws.push(connection);
  return connection;
}

const eager = { rounds: { policy: "eager" as const } };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function peer(index = 0, suite = STRICT): Promise<ClientPeer> {
  const clientId = (index + 1) as ClientId;
  const stored = await fleet.keys.lookUp(clientId);
  const secret = stored?.secret ?? new Uint8Array(32);
  return new ClientPeer({ suite, clientId, epoch: 0 as Epoch, secret, last: new Uint8Array(16) }, () => ({
    nonce: systemRandom(32),
    iv: systemRandom(16),
  }));
}

/** HELLO and CHALLENGE by hand: a half-open connection. */
async function greet(): Promise<{ connection: RawConnection; client: ClientPeer }> {
  const client = await peer();
  const connection = await raw();
  client.start();
  connection.write(client.sent[0] ?? new Uint8Array());
  client.receive(await connection.frame());
  return { connection, client };
}

describe("deadlines", () => {
  it("close a connection without HELLO, and a half-open one, in silence", async () => {
    const clock = new FakeClock();
    fleet = await startFleet(1, { clock, ...eager });
    const mute = await raw();
    expect(await fleet.event("connection")).toMatchObject({ remotePort: mute.socket.localPort });
    clock.advance(4_999);
    expect(mute.socket.destroyed).toBe(false);
    clock.advance(1);
    expect(await mute.closed()).toBe("");

    const { connection } = await greet();
    const sent = connection.received.length;
    clock.advance(9_999);
    expect(fleet.server.halfOpen.count).toBe(1);
    clock.advance(1);
    await connection.closed();
    expect(connection.received.length).toBe(sent);
    expect(fleet.events.filter((e) => e.type === "session-ended").map((e) => e.cause)).toEqual([
      "deadline",
      "deadline",
    ]);
  });

  it("end an idle session with TERMINATE, and not one that talks", async () => {
    const clock = new FakeClock();
    fleet = await startFleet(1, {
      clock,
      limits: { idleMs: 1_000 },
      onMessage: (_session, message) => message,
    });
    const client = await fleet.connect(0);
    for (let i = 0; i < 3; i++) {
      await client.request(utf8("here"));
      clock.advance(999);
    }
    expect(fleet.server.sessions()).toHaveLength(1);
    clock.advance(1);
    expect(await client.closed).toMatchObject({ reason: "idle", by: "peer" });
  });
});

describe("limits on connections", () => {
  it("evict the oldest half-open connection of an address, and never a live session", async () => {
    fleet = await startFleet(1, { limits: { halfOpenPerAddress: 3 }, ...eager });
    const honest = await fleet.connect(0);
    await honest.send("1");
    const first = await raw();
    await expect.poll(() => fleet.server.halfOpen.count).toBe(1);
    const others = [await raw(), await raw(), await raw()];
    expect(await first.closed()).toBe("");
    expect(await fleet.event("half-open-evicted")).toMatchObject({ limit: "address" });
    expect(others.map(({ socket }) => socket.destroyed)).toEqual([false, false, false]);
    expect((await honest.send("2")).value).toBe("2");
  });

  it("bound what half-open connections may have buffered", async () => {
    fleet = await startFleet(1, { limits: { halfOpenBytesPerAddress: 1_000 }, ...eager });
    const announced = new Uint8Array(504);
    announced[2] = 1;
    announced[3] = 0xff;
    const held = [await raw(), await raw(), await raw()];
    for (const connection of held) connection.write(announced);
    expect(await fleet.event("half-open-evicted")).toMatchObject({ limit: "address" });
    await held[0]?.closed();
    expect(fleet.server.halfOpen.bytes).toBeLessThanOrEqual(1_008);
  });

  it("throttle the handshakes of an address", async () => {
    fleet = await startFleet(1, { limits: { handshakeBurst: 2, handshakesPerSecond: 1 }, ...eager });
    const client = await fleet.connect(0);
    await client.send("1");
    const connections = [await raw(), await raw(), await raw()];
    expect(await fleet.event("handshake-throttled")).toMatchObject({ remoteAddress: "127.0.0.1" });
    expect(await connections[2]?.closed()).toBe("");
    expect((await client.send("2")).value).toBe("2");
  });

  it("refuse a client beyond the cap in silence, and take it when there is room", async () => {
    fleet = await startFleet(2, { maxClients: 1, ...eager });
    const first = await fleet.connect(0);
    await first.send("1");
    await expect(fleet.connect(1)).rejects.toMatchObject({ name: "HandshakeRefusedError" });
    expect(await fleet.event("client-cap")).toMatchObject({ clientId: 2, cap: 1 });
    await first.close();
    await expect.poll(() => fleet.server.sessions().length).toBe(0);
    expect((await (await fleet.connect(1)).send("2")).value).toBe("2");
  });
});

describe("strangers in numbers", () => {
  it("are all refused in silence, leave nothing behind, and nobody else notices", async () => {
    fleet = await startFleet(2, {
      ...eager,
      limits: { handshakeBurst: 100_000, handshakesPerSecond: 100_000, halfOpenPerAddress: 40 },
    });
    const honest = await fleet.connect(0);
    const greeting = await peer(1);
    greeting.start();
    const hello = greeting.sent[0] ?? new Uint8Array();
    for (let wave = 0; wave < 10; wave++) {
      const connections = await Promise.all(Array.from({ length: 30 }, () => RawConnection.open(fleet.port)));
      for (const [index, connection] of connections.entries()) {
        const garbage = systemRandom(1 + index * 40);
        // Noise; a frame that claims more than it may; a HELLO with one bit turned; half a HELLO and then nothing.
        if (index % 4 === 0) connection.write(garbage);
        else if (index % 4 === 1) connection.write(Uint8Array.of(0, 0, 2, 1 + (index % 200), ...garbage));
        else if (index % 4 === 2) {
          connection.write(hello.map((byte, i) => (i === 4 + ((wave * 30 + index) % 128) ? byte ^ 1 : byte)));
        } else connection.write(hello.subarray(0, 20 + index));
      }
      expect((await honest.send(String(wave))).value).toBe(String(wave));
      for (const connection of connections) connection.socket.end();
      for (const connection of connections) expect(await connection.closed()).toBe("");
    }
    await expect.poll(() => fleet.server.halfOpen).toMatchObject({ count: 0, bytes: 0 });
    expect(fleet.server.sessions()).toHaveLength(1);
    expect((await fleet.keys.get(2 as ClientId))?.epoch).toBe(0);
    const codes = new Set(fleet.events.flatMap((event) => (event.type === "violation" ? [event.code] : [])));
    expect(codes).toContain("PAWL_FRAME");
    expect(codes).toContain("PAWL_HMAC");
  });
});

describe("a slow reader", () => {
  const large = { maxMessage: 16 << 20, onMessage: () => new Uint8Array(8 << 20) };

  it("is cut when too much waits for it", async () => {
    fleet = await startFleet(1, { ...large, limits: { queuedBytes: 1_000 } });
    const { connection, client } = await greet();
    connection.socket.pause();
    client.send(utf8("x"));
    connection.write(client.sent[1] ?? new Uint8Array());
    expect(await fleet.event("slow-reader")).toMatchObject({ clientId: 1 });
    await expect.poll(() => fleet.server.sessions().length).toBe(0);
  });

  it("is cut when it does not read for too long", async () => {
    const clock = new FakeClock();
    fleet = await startFleet(1, { ...large, clock, limits: { queuedBytes: 1 << 30 } });
    const { connection, client } = await greet();
    connection.socket.pause();
    client.send(utf8("x"));
    connection.write(client.sent[1] ?? new Uint8Array());
    await fleet.event("message");
    await sleep(50);
    expect(fleet.server.sessions()).toHaveLength(1);
    clock.advance(30_000);
    await fleet.event("slow-reader");
    expect(fleet.server.sessions()).toHaveLength(0);
  });
});

describe("an application", () => {
  it("answers with text or bytes, at once or later, and knows its session", async () => {
    fleet = await startFleet(1, {
      onMessage: async (session, message) => {
        await sleep(5);
        return `${session.clientId} ${session.suite} ${session.epoch} ${session.round} ${text(message)}`;
      },
    });
    const client = await fleet.connect(0);
    expect(text(await client.request("a"))).toBe("1 strict 0 1 a");
    expect(text(await client.request("b"))).toBe("1 strict 0 2 b");
    await client.cover();
    await expect(client.send("c")).rejects.toMatchObject({ code: "PAWL_REPLY_FORMAT" });
    expect(text(await client.request("d"))).toBe("1 strict 0 5 d");
  });

  it.each([
    ["throws", () => Promise.reject(new Error("broken"))],
    [
      "throws at once",
      () => {
        throw new Error("broken");
      },
    ],
    ["answers too much", () => new Uint8Array((1 << 20) + 1)],
  ])("that %s ends that session alone", async (_name, onMessage) => {
    fleet = await startFleet(2, {
      onMessage: (session, message) => (session.clientId === 1 ? onMessage() : message),
    });
    const [bad, good] = [await fleet.connect(0), await fleet.connect(1)];
    await expect(bad.request("x")).rejects.toMatchObject({ name: "SessionEndedError", mayHaveCounted: true });
    expect(await fleet.event("application-error")).toMatchObject({ clientId: 1 });
    expect(text(await good.request("y"))).toBe("y");
  });

  it("may end a session", async () => {
    fleet = await startFleet(1, {
      onMessage: (session) => {
        session.terminate("shutdown");
        return "never sent";
      },
    });
    const client = await fleet.connect(0);
    await expect(client.request("x")).rejects.toMatchObject({ reason: "shutdown", mayHaveCounted: true });
  });
});

describe("a store that fails", () => {
  it("at look-up: closed in silence", async () => {
    const fails = { lookUp: false };
    fleet = await startFleet(1, { keys: failing(createMemoryStore(), fails), ...eager });
    fails.lookUp = true;
    await expect(fleet.connect(0)).rejects.toMatchObject({ name: "HandshakeRefusedError" });
    expect(await fleet.event("store-error")).toMatchObject({
      operation: "look-up",
      message: "the disk is gone",
    });
  });

  it("at the commit of the first packet: nothing counts, and the client may come back", async () => {
    const fails = { commit: false };
    fleet = await startFleet(1, { keys: failing(createMemoryStore(), fails), ...eager });
    const client = await fleet.connect(0);
    fails.commit = true;
    await expect(client.send("5")).rejects.toMatchObject({ reason: "conflict", mayHaveCounted: false });
    expect(await fleet.event("commit")).toMatchObject({ outcome: "unknown", purpose: "first-packet" });
    expect(fleet.events.some((event) => event.type === "round")).toBe(false);
    fails.commit = false;
    await fleet.event("store-available");
    // The client is one epoch ahead now: its HELLO makes the server catch up.
    const again = await fleet.connect(0);
    expect((await again.send("7")).aggregate).toBe("7");
    expect(fleet.events.flatMap((e) => (e.type === "commit" ? [`${e.purpose} ${e.outcome}`] : []))).toEqual([
      "first-packet unknown",
      "catch-up done",
      "first-packet done",
    ]);
  });
});

describe("a store that takes no commits", () => {
  it("makes the server refuse every HELLO before CHALLENGE, until it works again", async () => {
    const fails = { commit: false };
    const clock = new FakeClock();
    fleet = await startFleet(3, { keys: failing(createMemoryStore(), fails), clock, ...eager });
    const live = await fleet.connect(0);
    await live.send("1");
    const first = await fleet.connect(1);
    fails.commit = true;
    await expect(first.send("2")).rejects.toMatchObject({ reason: "conflict", mayHaveCounted: false });
    expect(await fleet.event("store-unavailable")).toMatchObject({ message: "the disk is gone" });
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(fleet.connect(2)).rejects.toMatchObject({ name: "HandshakeRefusedError" });
    }
    expect(await fleet.event("refused")).toMatchObject({ reason: "store-unavailable", clientId: 3 });
    // It has not moved for nothing, and who is live needs no store.
    expect((await fleet.credentials[2]?.load())?.epoch).toBe(0);
    expect((await live.send("3")).value).toBe("3");

    fails.commit = false;
    clock.advance(1_000);
    expect(await fleet.event("store-available")).toMatchObject({ downMs: 1_000 });
    expect((await (await fleet.connect(2)).send("4")).value).toBe("4");
    expect((await (await fleet.connect(1)).send("5")).value).toBe("5");
    expect(fleet.events.filter(({ type }) => type === "store-unavailable")).toHaveLength(1);
  });

  it("is not what one look-up that fails makes of it", async () => {
    const fails = { lookUp: false };
    fleet = await startFleet(2, { keys: failing(createMemoryStore(), fails), ...eager });
    fails.lookUp = true;
    await expect(fleet.connect(0)).rejects.toMatchObject({ name: "HandshakeRefusedError" });
    fails.lookUp = false;
    expect((await (await fleet.connect(1)).send("4")).value).toBe("4");
    expect(fleet.events.filter(({ type }) => type === "store-unavailable")).toEqual([]);
  });
});

describe("what an operator does", () => {
  it.each([
    ["revoke", "revoked", (keys: KeyStore) => keys.revoke(1 as ClientId, "lost")],
    ["remove", "revoked", (keys: KeyStore) => keys.remove(1 as ClientId)],
    ["reissue", "superseded", (keys: KeyStore) => keys.reissue(1 as ClientId, new Uint8Array(32).fill(9))],
  ] as const)("%s ends live and half-open sessions with %s", async (_name, reason, act) => {
    fleet = await startFleet(2, eager);
    const [live, other] = [await fleet.connect(0), await fleet.connect(1)];
    await live.send("1");
    const halfOpen = await fleet.connect(0);
    await act(fleet.keys);
    expect(await live.closed).toMatchObject({ reason, by: "peer" });
    expect(await halfOpen.closed).toMatchObject({ reason, by: "peer" });
    expect((await other.send("3")).value).toBe("3");
    await expect(fleet.connect(0)).rejects.toMatchObject({ name: "HandshakeRefusedError" });
  });

  it("drains: the open round is answered, every session gets TERMINATE, nobody more is taken", async () => {
    fleet = await startFleet(3, { rounds: { policy: "barrier", deadlineMs: 60_000 } });
    const [a, b, halfOpen] = [await fleet.connect(0), await fleet.connect(1), await fleet.connect(2)];
    await a.send("1");
    const second = b.send("3");
    await fleet.event("message", ({ clientId }) => clientId === 2);
    expect((await a.send("2")).aggregate).toBe("6");
    await second;
    const waiting = a.send("21");
    await fleet.event("message", ({ clientId, round }) => clientId === 1 && round === 3);
    const closing = fleet.server.close();
    expect((await waiting).aggregate).toBe("21");
    for (const client of [a, b, halfOpen]) {
      expect(await client.closed).toMatchObject({ reason: "shutdown", by: "peer", error: null });
    }
    await closing;
    await expect(
      connect({ credential: fleet.credentials[0] ?? "", host: "127.0.0.1", port: fleet.port }),
    ).rejects.toMatchObject({
      code: "PAWL_CONNECT",
      reason: "ECONNREFUSED",
    });
    // The contribution of round 1 of each is committed; the half-open client moved alone, and comes back all the same.
    expect((await fleet.keys.get(3 as ClientId))?.epoch).toBe(0);
  });

  it.each<[string, () => Promise<void>, unknown]>([
    ["hangs", () => new Promise(() => {}), { status: "fulfilled" }],
    ["fails", () => Promise.reject(new Error("no quorum")), { reason: { message: "no quorum" } }],
  ])("ends every session also where the rounds' backend %s", async (_, close, outcome) => {
    const backend = { join: () => {}, contribute: () => {}, leave: () => {}, close };
    const own = await startFleet(1, { roundsBackend: () => backend });
    const client = await own.connect(0);
    const outstanding = client.send("1").catch((error: unknown) => error);
    await own.event("message");
    const closing = inTime("the server to close", own.server.close({ graceMs: 100 }), () =>
      tally(own.events),
    );
    const [closed] = await Promise.allSettled([closing]);
    expect(closed).toMatchObject(outcome as object);
    expect(await client.closed).toMatchObject({ reason: "shutdown", by: "peer" });
    expect(await outstanding).toMatchObject({ name: "SessionEndedError" });
    expect(own.events.at(-1)).toMatchObject({ type: "closed" });
  });

  it("destroys what does not end in time", async () => {
    fleet = await startFleet(1, eager);
    const { connection } = await greet();
    connection.socket.pause();
    const closed = fleet.server.close({ graceMs: 50 });
    expect(fleet.server.close()).toBe(closed);
    await closed;
  });
});

describe("a client far ahead", () => {
  it.each([STRICT, STRICT_GCM])("of a restored store comes in, $name", async (suite) => {
    const memory = createMemoryStore();
    // A restored record has a wider window; the interface has no way to set it yet.
    const keys = withMethods(memory, {
      lookUp: async (id) => {
        const record = await memory.lookUp(id);
        return record === null ? null : { ...record, window: 4_096 };
      },
    });
    fleet = await startFleet(0, { keys, suite, ...eager });
    const id = 1 as ClientId;
    const secret = systemRandom(32);
    await memory.add([{ clientId: id, suite, secret }]);
    const ahead = new EpochSecret(nodeCrypto, suite, id, 0 as Epoch, copyOf(secret)).forward(1_000 as Epoch);
    const credential = { ...(await credentialOf(suite, id, ahead.copy()).load()), epoch: 1_000 as Epoch };
    const client = await connect({
      credential: memoryCredential(credential),
      host: "127.0.0.1",
      port: fleet.port,
    });
    expect((await client.send("6")).value).toBe("6");
    expect((await memory.get(id))?.epoch).toBe(1_001);
    await client.close();
  });
});

describe("overdue clients", () => {
  it("are told of at the start, and not those whose epoch moves", async () => {
    const clock = new FakeClock();
    const keys = createMemoryStore({ clock });
    fleet = await startFleet(2, { keys, clock, overdueAfterMs: 10_000, ...eager });
    await (await fleet.connect(0)).send("1");
    await fleet.server.close();
    clock.advance(5_000);
    await keys.reissue(1 as ClientId, new Uint8Array(32).fill(9));
    clock.advance(5_000);
    const server = createServer({ keys, clock, overdueAfterMs: 10_000 });
    const told: [ClientId, number][] = [];
    server.events.on("overdue", ({ clientId, movedAt }) => told.push([clientId, movedAt]));
    await server.listen({ port: 0 });
    await expect.poll(() => told).toEqual([[2, 0]]);
    await server.close();
    expect(clock.pending).toBe(0);
  });
});

describe("sessions()", () => {
  it("shows who is live", async () => {
    fleet = await startFleet(2, eager);
    const client = await fleet.connect(1);
    expect(fleet.server.sessions()).toEqual([]);
    await client.send("1");
    await client.send("1");
    expect(fleet.server.sessions()).toMatchObject([
      { clientId: 2, epoch: 0, suite: "strict", remoteAddress: "127.0.0.1", rounds: 2 },
    ]);
    await client.close();
  });
});
