import { once } from "node:events";
import { createServer as createNetServer } from "node:net";
import { connect } from "@pawl/client";
import {
  type ClientId,
  concat,
  copyOf,
  type Epoch,
  FrameReader,
  STRICT,
  STRICT_GCM,
  u32,
} from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { afterEach, describe, expect, it } from "vitest";
import { ClientPeer, ServerPeer, TestDatabase } from "../packages/protocol/src/testing/peers.ts";
import { credentialOf, type Fleet, startFleet } from "./support/fleet.ts";
import { RawConnection } from "./support/raw.ts";

/** Every error class reached over the wire, on a server and on a client: the connection closes, not a byte in reply. */

let fleet: Fleet;
afterEach(() => fleet?.close());

const ID = 1 as ClientId;
const random = () => ({ nonce: systemRandom(32), iv: systemRandom(16) });
const altered = (bytes: Uint8Array, offset: number, xor: number) =>
  Uint8Array.from(bytes, (byte, i) => (i === offset ? byte ^ xor : byte));

/** A client without a socket, that shares the secret of the fleet's first client. */
async function client(suite = STRICT): Promise<ClientPeer> {
  const stored = await fleet.keys.lookUp(ID);
  const secret = stored?.secret ?? new Uint8Array(32);
  return new ClientPeer({ suite, clientId: ID, epoch: 0 as Epoch, secret, last: new Uint8Array(16) }, random);
}

/** The HELLO of that client, as a frame. Offsets of the packet are 4 later in it. */
async function hello(suite = STRICT): Promise<Uint8Array> {
  const peer = await client(suite);
  peer.start();
  return copyOf(peer.sent[0] ?? new Uint8Array());
}

const HELLO_CASES: Record<string, [code: string, frame: () => Promise<Uint8Array>]> = {
  "a frame of length 0": ["PAWL_FRAME", async () => u32(0)],
  "a frame longer than any HELLO": ["PAWL_FRAME", async () => u32(513)],
  "four gigabytes announced": ["PAWL_FRAME", async () => u32(0xffff_ffff)],
  "a request of another protocol": [
    "PAWL_FRAME",
    async () => new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
  ],
  "a packet of zeros": ["PAWL_FORMAT", async () => concat(u32(45), new Uint8Array(45))],
  "the reserved opcode 50": ["PAWL_FORMAT", async () => altered(await hello(), 5, 10 ^ 50)],
  "classic, which this server does not run": ["PAWL_FORMAT", async () => altered(await hello(), 4, 2 ^ 1)],
  "a packet of the server's own direction": ["PAWL_DIRECTION", async () => altered(await hello(), 6, 1)],
  "DATA before HELLO": ["PAWL_UNEXPECTED_OPCODE", async () => altered(await hello(), 5, 10 ^ 30)],
  "an unknown client": ["PAWL_IDENTITY", async () => altered(await hello(), 11, 1 ^ 99)],
  "another suite than the pinned one": ["PAWL_SUITE", () => hello(STRICT_GCM)],
  "an epoch far ahead": ["PAWL_EPOCH", async () => altered(await hello(), 14, 1)],
  "a round in HELLO": ["PAWL_DESYNC", async () => altered(await hello(), 19, 1)],
  "an altered tag": ["PAWL_HMAC", async () => hello().then((frame) => altered(frame, frame.length - 1, 1))],
  "an altered ciphertext": ["PAWL_HMAC", async () => altered(await hello(), 40, 0x80)],
};

describe("a server that is sent", () => {
  it.each(Object.entries(HELLO_CASES))("%s", async (_name, [code, make]) => {
    fleet = await startFleet(2, { rounds: { policy: "eager" } });
    const honest = await fleet.connect(1);
    const raw = await RawConnection.open(fleet.port);
    raw.write(await make());
    expect(await raw.closed()).toBe("");
    expect(await fleet.event("violation")).toMatchObject({ code });
    // Nobody else notices, and nothing was stored.
    expect((await honest.send("7")).value).toBe("7");
    expect((await fleet.keys.get(ID))?.epoch).toBe(0);
    expect(fleet.events.filter((event) => event.type === "violation")).toHaveLength(1);
  });

  const IN_SESSION: Record<
    string,
    [code: string, change: (data: Uint8Array, hello: Uint8Array) => Uint8Array]
  > = {
    "HELLO again": ["PAWL_UNEXPECTED_OPCODE", (_data, first) => first],
    "DATA of another client": ["PAWL_IDENTITY", (data) => altered(data, 11, 3)],
    "DATA of another epoch": ["PAWL_EPOCH", (data) => altered(data, 15, 1)],
    "DATA of a later round": ["PAWL_DESYNC", (data) => altered(data, 19, 3)],
    "DATA with another tag": ["PAWL_HMAC", (data) => altered(data, data.length - 1, 1)],
    "DATA longer than a first one may be": ["PAWL_FRAME", () => u32(16_465)],
  };
  it.each(Object.entries(IN_SESSION))("%s, after CHALLENGE", async (_name, [code, change]) => {
    fleet = await startFleet(1, { rounds: { policy: "eager" } });
    const peer = await client();
    const raw = await RawConnection.open(fleet.port);
    peer.start();
    const first = peer.sent[0] ?? new Uint8Array();
    raw.write(first);
    peer.receive(await raw.frame());
    peer.send(new TextEncoder().encode("1 2 3"));
    const before = raw.received.length;
    raw.write(change(peer.sent[1] ?? new Uint8Array(), first));
    await raw.closed();
    expect(raw.received.length).toBe(before);
    expect(await fleet.event("violation")).toMatchObject({ code });
    expect((await fleet.keys.get(ID))?.epoch).toBe(0);
  });

  it("the same DATA twice: the second one ends the session, the first one has counted", async () => {
    fleet = await startFleet(1, { rounds: { policy: "eager" } });
    const peer = await client();
    const raw = await RawConnection.open(fleet.port);
    peer.start();
    raw.write(peer.sent[0] ?? new Uint8Array());
    peer.receive(await raw.frame());
    peer.send(new TextEncoder().encode("1 2 3"));
    raw.write(peer.sent[1] ?? new Uint8Array());
    peer.receive(await raw.frame());
    expect(JSON.parse(new TextDecoder().decode(peer.delivered[0]?.message))).toMatchObject({ value: "6" });
    const before = raw.received.length;
    raw.write(peer.sent[1] ?? new Uint8Array());
    await raw.closed();
    expect(raw.received.length).toBe(before);
    expect(await fleet.event("violation")).toMatchObject({ code: "PAWL_DESYNC" });
  });

  it("a HELLO and then nothing but the end of the stream", async () => {
    fleet = await startFleet(1);
    const raw = await RawConnection.open(fleet.port);
    raw.write(await hello());
    await raw.frame();
    const before = raw.received.length;
    raw.socket.end();
    await raw.closed();
    expect(raw.received.length).toBe(before);
    expect(await fleet.event("violation")).toMatchObject({ code: "PAWL_TRUNCATION" });
  });

  it("a HELLO from before: a stale epoch, said to be unauthenticated", async () => {
    fleet = await startFleet(1, { rounds: { policy: "eager" } });
    const old = await hello();
    const honest = await fleet.connect(0);
    await honest.send("1");
    await honest.close();
    const raw = await RawConnection.open(fleet.port);
    raw.write(old);
    expect(await raw.closed()).toBe("");
    expect(await fleet.event("violation")).toMatchObject({ code: "PAWL_EPOCH" });
    expect(await fleet.event("stale-epoch")).toMatchObject({ clientId: 1, authenticated: false });
  });
});

describe("a client that is sent", () => {
  /** A server in the middle that answers the client's HELLO with what `answer` makes of it. */
  async function against(answer: (hello: Uint8Array, server: ServerPeer) => Uint8Array | null) {
    const secret = systemRandom(32);
    const database = new TestDatabase();
    database.put({ clientId: ID, suite: STRICT, secret });
    const reply = new ServerPeer(database, {}, random);
    let extra = 0;
    const listener = createNetServer((socket) => {
      const reader = new FrameReader();
      let answered = false;
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        if (answered) extra += chunk.length;
        reader.push(chunk);
        const packet = answered ? null : reader.next(512);
        if (packet === null) return;
        answered = true;
        const bytes = answer(concat(u32(packet.length), packet), reply);
        if (bytes === null) socket.end();
        else socket.write(bytes);
      });
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const address = listener.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const credential = credentialOf(STRICT, ID, secret);
    const result = await connect({ credential, host: "127.0.0.1", port }).then(
      () => null,
      (error: unknown) => error,
    );
    listener.close();
    return { error: result, extra: () => extra };
  }
  const challenge = (frame: Uint8Array, server: ServerPeer) => {
    server.receive(frame);
    return copyOf(server.sent[0] ?? new Uint8Array());
  };

  const CASES: Record<
    string,
    [code: string, answer: (hello: Uint8Array, server: ServerPeer) => Uint8Array | null]
  > = {
    "an oversize frame": ["PAWL_FRAME", () => u32(513)],
    garbage: ["PAWL_FORMAT", () => concat(u32(80), new Uint8Array(80).fill(0xee))],
    "its own HELLO back": ["PAWL_DIRECTION", (frame) => frame],
    "AGGREGATE in place of CHALLENGE": [
      "PAWL_UNEXPECTED_OPCODE",
      (f, s) => altered(challenge(f, s), 5, 20 ^ 40),
    ],
    "a CHALLENGE of another client": ["PAWL_IDENTITY", (f, s) => altered(challenge(f, s), 11, 3)],
    "a CHALLENGE of another suite": ["PAWL_SUITE", (f, s) => altered(challenge(f, s), 4, 2 ^ 3)],
    "a CHALLENGE of another epoch": ["PAWL_EPOCH", (f, s) => altered(challenge(f, s), 15, 1)],
    "a CHALLENGE with a round": ["PAWL_DESYNC", (f, s) => altered(challenge(f, s), 19, 1)],
    "a CHALLENGE with an altered IV": ["PAWL_HMAC", (f, s) => altered(challenge(f, s), 20, 1)],
    "a CHALLENGE that answers another HELLO": [
      "PAWL_FRESHNESS",
      (_frame, server) => {
        const secret = server.database.read(ID)?.secret ?? new Uint8Array();
        const other = new ClientPeer(
          { suite: STRICT, clientId: ID, epoch: 0 as Epoch, secret, last: new Uint8Array(16) },
          random,
        );
        other.start();
        return challenge(other.sent[0] ?? new Uint8Array(), server);
      },
    ],
  };
  it.each(Object.entries(CASES))("%s", async (_name, [code, answer]) => {
    const { error, extra } = await against(answer);
    expect(error).toMatchObject({ code });
    expect(extra()).toBe(0);
  });

  it("nothing but the end of the stream: refused in silence, as an unknown client is", async () => {
    const { error } = await against(() => null);
    expect(error).toMatchObject({ name: "HandshakeRefusedError" });
  });
});
