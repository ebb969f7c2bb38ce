import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { concat } from "@pawl/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { observe } from "./observed.ts";
import { playClient, playServer } from "./play.ts";
import { createProxy, type FrameProxy } from "./proxy.ts";
import { AttackerConnection } from "./raw.ts";
import { Recording } from "./recording.ts";
import { frame } from "./testing/frames.ts";
import { End, listen } from "./testing/link.ts";

let [server, proxy]: [Server | null, FrameProxy | null] = [null, null];
const sockets: { destroy(): void }[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.close();
  await proxy?.close();
  [server, proxy] = [null, null];
});

const CLIENT = [frame("HELLO", 0), frame("DATA", 1), frame("DATA", 2)];
const SERVER = [frame("CHALLENGE", 0), frame("AGGREGATE", 1), frame("AGGREGATE", 2), frame("TERMINATE", 3)];

/** A session as it was recorded: the server's TERMINATE came right behind its last AGGREGATE. */
const RECORDED = [
  observe(1, 1, "c2s", CLIENT[0] ?? new Uint8Array()),
  observe(1, 2, "s2c", SERVER[0] ?? new Uint8Array()),
  observe(1, 3, "c2s", CLIENT[1] ?? new Uint8Array()),
  observe(1, 4, "s2c", SERVER[1] ?? new Uint8Array()),
  observe(1, 5, "c2s", CLIENT[2] ?? new Uint8Array()),
  observe(1, 6, "s2c", SERVER[2] ?? new Uint8Array()),
  observe(1, 7, "s2c", SERVER[3] ?? new Uint8Array()),
];
const of = (direction: "c2s" | "s2c") => RECORDED.filter((one) => one.direction === direction);

async function attackerAt(onConnection: (socket: Socket) => void): Promise<AttackerConnection> {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  const port = await listen(server);
  const attacker = await AttackerConnection.open(new Recording(), { host: "127.0.0.1", port });
  sockets.push(attacker);
  return attacker;
}

describe("playClient", () => {
  it("sends each frame when the one before is answered, and tells all that came back", async () => {
    const got: number[] = [];
    const attacker = await attackerAt((socket) => {
      let answered = 0;
      socket.on("data", (chunk: Buffer) => {
        got.push(chunk.length);
        socket.write(SERVER[answered++] ?? new Uint8Array());
      });
    });
    const reaction = await playClient(attacker, of("c2s"));
    // One at a time: none came before the answer to the one before.
    expect(got).toEqual(CLIENT.map(({ length }) => length));
    expect(reaction.frames.map(({ header }) => header?.opcode)).toEqual([
      "CHALLENGE",
      "AGGREGATE",
      "AGGREGATE",
    ]);
    expect(reaction.ended).toBeNull();
  });

  it("stops where the server ends its stream", async () => {
    const attacker = await attackerAt((socket) => socket.once("data", () => socket.end()));
    const reaction = await playClient(attacker, of("c2s"));
    expect(reaction).toMatchObject({ frames: [], bytes: 0, ended: "fin" });
    expect(attacker.recording.entries.filter(({ kind }) => kind === "sent")).toHaveLength(1);
  });

  it("stops where the server does not answer", async () => {
    const attacker = await attackerAt((socket) => socket.resume());
    expect(await playClient(attacker, of("c2s"), 20)).toMatchObject({ frames: [], ended: null });
    expect(attacker.recording.entries.filter(({ kind }) => kind === "sent")).toHaveLength(1);
  });
});

describe("an attacker's own connection", () => {
  it("writes down what it did and saw, and nothing that was too late", async () => {
    const attacker = await attackerAt((socket) => socket.end("no frame"));
    const closed = once(attacker.socket, "close");
    await expect.poll(() => attacker.recording.entries.at(-1)?.kind).toBe("end");
    attacker.end("fin");
    attacker.send(CLIENT[0] ?? new Uint8Array(), "a HELLO");
    attacker.end("fin");
    await closed;
    attacker.end("rst");
    expect(attacker.recording.entries).toMatchObject([
      { kind: "open", client: "attacker", server: "victim", port: attacker.port },
      { kind: "unread", direction: "s2c", bytes: Buffer.from("no frame") },
      { kind: "end", side: "server", how: "fin", by: "victim" },
      { kind: "end", side: "client", how: "fin", by: "attacker" },
      { kind: "note", text: "too late to be sent, the stream is closed: a HELLO" },
    ]);
  });

  it("does not tell its own close as the server's", async () => {
    const attacker = await attackerAt(() => {});
    attacker.destroy();
    await once(attacker.socket, "close");
    expect(attacker.recording.entries.map(({ kind }) => kind)).toEqual(["open"]);
  });
});

describe("playServer", () => {
  it("answers each frame of a client with what the server said then, and later ones with nothing", async () => {
    proxy = await createProxy({ upstream: null, program: () => playServer(of("s2c")) });
    const client = new End(connect({ host: proxy.host, port: proxy.port }));
    sockets.push(client.socket);
    const [challenge, first, ...last] = SERVER;
    if (challenge === undefined || first === undefined) throw new Error("no frames");
    client.socket.write(CLIENT[0] ?? "");
    expect(await client.bytes(challenge.length)).toEqual(challenge);
    client.socket.write(CLIENT[1] ?? "");
    expect(await client.bytes(challenge.length + first.length)).toEqual(concat(challenge, first));
    client.socket.write(CLIENT[2] ?? "");
    const all = concat(challenge, first, ...last);
    expect(await client.bytes(all.length)).toEqual(all);
    client.socket.write(frame("DATA", 3));
    const { recording } = proxy;
    await expect.poll(() => recording.frames()).toHaveLength(4);
    expect(client.received).toEqual(all);
  });
});
