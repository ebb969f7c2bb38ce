import { once } from "node:events";
import {
  CLASSIC,
  type ClientId,
  copyOf,
  decodeHeader,
  type Epoch,
  LENGTH_BYTES,
  STRICT,
  STRICT_SUITES,
  utf8,
} from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { afterEach, describe, expect, it } from "vitest";
import { ClientPeer } from "../packages/protocol/src/testing/peers.ts";
import { FakeClock } from "../packages/server/src/testing/fake-clock.ts";
import { type Fleet, startFleet } from "./support/fleet.ts";
import { RawConnection } from "./support/raw.ts";

let fleet: Fleet;
const raws: RawConnection[] = [];
afterEach(async () => {
  for (const raw of raws.splice(0)) raw.destroy();
  await fleet?.close();
});

const echo = { onMessage: (_session: unknown, message: Uint8Array) => message };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A live session by hand, with the answer to its first message read. */
async function live(): Promise<{ connection: RawConnection; client: ClientPeer; next: () => Uint8Array }> {
  const stored = await fleet.keys.lookUp(1 as ClientId);
  const secret = stored?.secret ?? new Uint8Array(32);
  const credential = { suite: STRICT, clientId: 1 as ClientId, epoch: 0 as Epoch, secret };
  const client = new ClientPeer({ ...credential, last: new Uint8Array(16) }, () => ({
    nonce: systemRandom(32),
    iv: systemRandom(16),
  }));
  const connection = await RawConnection.open(fleet.port);
  raws.push(connection);
  const next = () => client.sent.at(-1) ?? new Uint8Array();
  client.start();
  connection.write(next());
  client.receive(await connection.frame());
  client.send(utf8("first"));
  connection.write(next());
  client.receive(await connection.frame());
  return { connection, client, next };
}

/** The opcodes of the frames in a chunk of a stream. */
function opcodesIn(chunk: Uint8Array): string[] {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  const opcodes: string[] = [];
  for (let at = 0; at < chunk.length; at += LENGTH_BYTES + view.getUint32(at)) {
    const start = at + LENGTH_BYTES;
    opcodes.push(decodeHeader(copyOf(chunk, start, start + view.getUint32(at)), STRICT_SUITES).opcode);
  }
  return opcodes;
}

describe("rotation", () => {
  it("by rounds: the last one is answered, and the session ends with renew", async () => {
    fleet = await startFleet(1, { ...echo, rotation: { maxSessionRounds: 3 } });
    const client = await fleet.connect(0);
    for (const message of ["a", "b", "c"]) expect(text(await client.request(message))).toBe(message);
    expect(await client.closed).toEqual({ reason: "renew", by: "peer", error: null });
    expect(await fleet.event("session-ended")).toMatchObject({ reason: "renew", by: "local", live: true });
    const again = await fleet.connect(0);
    await again.request("d");
    expect(again.epoch).toBe(1);
  });

  it("sends TERMINATE right behind the last answer", async () => {
    fleet = await startFleet(1, { ...echo, rotation: { maxSessionRounds: 2 } });
    const { connection, client, next } = await live();
    client.send(utf8("second"));
    const data = once(connection.socket, "data");
    connection.write(next());
    const [chunk] = (await data) as [Uint8Array];
    expect(opcodesIn(chunk)).toEqual(["AGGREGATE", "TERMINATE"]);
  });

  it("by age: at once where nothing is being answered, and not a moment earlier", async () => {
    const clock = new FakeClock();
    fleet = await startFleet(1, { ...echo, clock, rotation: { maxSessionAgeMs: 60_000 } });
    const client = await fleet.connect(0);
    await client.request("a");
    clock.advance(59_999);
    expect(text(await client.request("b"))).toBe("b");
    clock.advance(1);
    expect(await client.closed).toMatchObject({ reason: "renew", by: "peer" });
  });

  it("by age: after the answer where one is owed", async () => {
    const clock = new FakeClock();
    let release: (answer: string) => void = () => {};
    fleet = await startFleet(1, {
      clock,
      onMessage: () => new Promise<string>((resolve) => (release = resolve)),
      rotation: { maxSessionAgeMs: 60_000 },
    });
    const client = await fleet.connect(0);
    const answer = client.request("a");
    await fleet.event("message");
    clock.advance(60_000);
    expect(fleet.server.sessions()).toHaveLength(1);
    release("late");
    expect(text(await answer)).toBe("late");
    expect(await client.closed).toMatchObject({ reason: "renew", by: "peer" });
  });

  it("a message that crosses renew is discarded, and has not counted", async () => {
    const clock = new FakeClock();
    fleet = await startFleet(1, { ...echo, clock, rotation: { maxSessionAgeMs: 60_000 } });
    const { connection, client, next } = await live();
    clock.advance(60_000);
    client.send(utf8("crossing"));
    connection.write(next());
    client.receive(await connection.frame());
    expect(client.end).toEqual({ kind: "terminated", by: "peer", reason: "renew" });
    connection.socket.end();
    await connection.closed();
    expect(fleet.events.filter(({ type }) => type === "message")).toHaveLength(1);
    expect(fleet.events.filter(({ type }) => type === "violation")).toEqual([]);
  });

  it("an application's own renew waits for the answer as well", async () => {
    fleet = await startFleet(1, {
      onMessage: async (session, message) => {
        session.terminate("renew");
        return message;
      },
    });
    const client = await fleet.connect(0);
    expect(text(await client.request("a"))).toBe("a");
    expect(await client.closed).toMatchObject({ reason: "renew", by: "peer" });
  });

  it("leaves classic alone, which has neither TERMINATE nor epochs", async () => {
    const clock = new FakeClock();
    const rotation = { maxSessionAgeMs: 1_000, maxSessionRounds: 2 };
    fleet = await startFleet(1, { ...echo, clock, suite: CLASSIC, rotation });
    const client = await fleet.connect(0);
    for (const message of ["a", "b", "c"]) expect(text(await client.request(message))).toBe(message);
    clock.advance(1_000);
    expect(text(await client.request("d"))).toBe("d");
  });
});
