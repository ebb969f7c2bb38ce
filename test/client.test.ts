import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer as createNetServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CredentialStore,
  connect,
  connectWithBackoff,
  memoryCredential,
  writeCredentialFile,
} from "@pawl/client";
import { createProxy, drop, each, flip, pass } from "@pawl/lab";
import { CLASSIC, type ClientId, type Epoch, STRICT, utf8 } from "@pawl/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { FakeClock } from "../packages/server/src/testing/fake-clock.ts";
import { type Fleet, startFleet } from "./support/fleet.ts";

let fleet: Fleet | null = null;
const servers: Server[] = [];
afterEach(async () => {
  await fleet?.close();
  fleet = null;
  for (const server of servers.splice(0)) server.close();
});

const eager = { rounds: { policy: "eager" as const } };
const host = "127.0.0.1";
const someone = (overrides: object = {}) =>
  memoryCredential({
    suite: STRICT,
    clientId: 1 as ClientId,
    epoch: 0 as Epoch,
    secret: new Uint8Array(32).fill(3),
    last: new Uint8Array(16),
    ...overrides,
  });

/** A server that accepts and says nothing. */
async function muteServer(): Promise<number> {
  const server = createNetServer((socket) => socket.on("error", () => {}));
  servers.push(server);
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("connect", () => {
  it("says why a server cannot be reached", async () => {
    await expect(connect({ credential: someone(), host, port: 1 })).rejects.toMatchObject({
      code: "PAWL_CONNECT",
      reason: "ECONNREFUSED",
      message:
        "cannot reach 127.0.0.1:1: nothing listens there; is the server running, and is the port right?",
    });
    await expect(connect({ credential: someone() })).rejects.toMatchObject({ code: "PAWL_CONNECT_OPTION" });
    await expect(connect({ credential: someone(), host, port: 0 })).rejects.toThrow("a port is an integer");
    await expect(connect({ credential: someone({ server: "127.0.0.1:1" }) })).rejects.toMatchObject({
      reason: "ECONNREFUSED",
    });
  });

  it("refuses at the last epoch, before anything is sent", async () => {
    const credential = someone({ epoch: 0xffff_ffff as Epoch });
    await expect(connect({ credential, host, port: 1 })).rejects.toMatchObject({
      code: "PAWL_EPOCH_EXHAUSTED",
    });
  });

  it("gives up in time, and when it is told to", async () => {
    const clock = new FakeClock();
    const port = await muteServer();
    const waiting = connect({ credential: someone(), host, port, clock, handshakeTimeoutMs: 700 });
    waiting.catch(() => {});
    await expect.poll(() => clock.pending).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    clock.advance(700);
    await expect(waiting).rejects.toMatchObject({ code: "PAWL_HANDSHAKE_TIMEOUT" });

    const controller = new AbortController();
    const aborted = connect({ credential: someone(), host, port, signal: controller.signal });
    aborted.catch(() => {});
    setTimeout(() => controller.abort(), 30);
    await expect(aborted).rejects.toMatchObject({ reason: "ABORTED" });
    await expect(
      connect({ credential: someone(), host, port, signal: controller.signal }),
    ).rejects.toMatchObject({
      reason: "ABORTED",
    });
  });

  it("says nothing more when its move cannot be stored", async () => {
    for (const [commit, code] of [
      [() => Promise.reject(Object.assign(new Error("no space"), { code: "ENOSPC" })), "ENOSPC"],
      [() => Promise.resolve("lost" as const), "PAWL_CREDENTIAL_CHANGED"],
    ] as const) {
      fleet = await startFleet(1, eager);
      const inner = fleet.credentials[0] as CredentialStore;
      const credential = { load: () => inner.load(), close: () => inner.close(), commit };
      await expect(connect({ credential, host, port: fleet.port })).rejects.toMatchObject({ code });
      expect(await fleet.event("violation")).toMatchObject({ code: "PAWL_TRUNCATION" });
      expect((await fleet.keys.get(1 as ClientId))?.epoch).toBe(0);
      await fleet.close();
    }
    fleet = null;
  });

  it("moves a file forward before anything more is sent", async () => {
    fleet = await startFleet(1, eager);
    const folder = await mkdtemp(join(tmpdir(), "pawl-connect-"));
    const path = join(folder, "meter.pawl");
    await writeCredentialFile(path, await (fleet.credentials[0] as CredentialStore).load());
    const epochOf = async () => (JSON.parse(await readFile(path, "utf8")) as { epoch: number }).epoch;
    let epochAtData = -1;
    fleet.server.events.on("message", () => {
      epochAtData = (JSON.parse(readFileSync(path, "utf8")) as { epoch: number }).epoch;
    });
    const session = await connect({ credential: path, host, port: fleet.port });
    expect(await epochOf()).toBe(1);
    await expect(connect({ credential: path, host, port: fleet.port })).rejects.toMatchObject({
      code: "PAWL_CREDENTIAL_LOCKED",
    });
    await session.send("1");
    expect(epochAtData).toBe(1);
    await session.close();
    await (await connect({ credential: path, host, port: fleet.port })).close();
    expect(await epochOf()).toBe(2);
    expect((await fleet.keys.get(1 as ClientId))?.epoch).toBe(2);
    await rm(folder, { recursive: true });
  });
});

describe("a session", () => {
  it("sends what was called meanwhile in order, and opens a large first message with a cover", async () => {
    const got: number[] = [];
    fleet = await startFleet(1, {
      onMessage: (_session, message) => {
        got.push(message.length);
        return message;
      },
    });
    const session = await fleet.connect(0);
    const replies = await Promise.all([
      session.request(new Uint8Array(100_000)),
      session.request("ab"),
      session.request("c"),
    ]);
    expect(replies.map(({ length }) => length)).toEqual([100_000, 2, 1]);
    expect(got).toEqual([100_000, 2, 1]);
    expect(session.round).toBe(5);
    expect(fleet.events.flatMap((e) => (e.type === "message" ? [e.cover] : []))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    await expect(session.request(new Uint8Array(session.maxMessage + 1))).rejects.toMatchObject({
      code: "PAWL_MESSAGE_TOO_LARGE",
    });
    expect((await session.request("d")).length).toBe(1);
    await session.close();
    await expect(session.request("e")).rejects.toMatchObject({
      name: "SessionEndedError",
      mayHaveCounted: false,
    });
    expect(await session.closed).toEqual({ reason: "done", by: "local", error: null });
  });

  it("refuses a first message of classic that is too long, and goes on with the next", async () => {
    fleet = await startFleet(1, { suite: CLASSIC, onMessage: (_session, message) => message });
    const session = await fleet.connect(0);
    const calls = [session.request(new Uint8Array(20_000)), session.request("a")];
    const [long, short] = await Promise.allSettled(calls);
    expect(long).toMatchObject({ reason: { code: "PAWL_MESSAGE_TOO_LARGE", length: 20_000 } });
    expect(short).toMatchObject({ value: new Uint8Array([97]) });
    expect((await session.request(new Uint8Array(20_000))).length).toBe(20_000);
    await session.close();
  });

  it("makes round 1 a cover when asked to", async () => {
    fleet = await startFleet(1, eager);
    const credential = fleet.credentials[0] ?? "";
    const session = await connect({ credential, host, port: fleet.port, coverFirst: true });
    expect(fleet.events.flatMap((e) => (e.type === "message" ? [e.cover] : []))).toEqual([true]);
    expect((await session.send("5")).aggregate).toBe("5");
    await session.close();
  });

  it("goes on after a call that its suite does not have", async () => {
    fleet = await startFleet(1, { ...eager, suite: CLASSIC });
    const session = await fleet.connect(0);
    await expect(session.cover()).rejects.toMatchObject({ name: "IllegalTransitionError" });
    const calls = [session.send("5"), session.cover(), session.send("6")];
    const [five, cover, six] = await Promise.allSettled(calls);
    expect([five, six]).toMatchObject([{ value: { value: "5" } }, { value: { value: "6" } }]);
    expect(cover).toMatchObject({ reason: { name: "IllegalTransitionError" } });
  });

  it("waits for each reply as long as it may, and no longer than that after the last message", async () => {
    const clock = new FakeClock();
    let answer: (text: string) => void = () => {};
    const asked: (() => void)[] = [];
    fleet = await startFleet(1, {
      onMessage: () =>
        new Promise((resolve) => {
          answer = resolve;
          asked.shift()?.();
        }),
    });
    const credential = fleet.credentials[0] ?? "";
    const session = await connect({ credential, host, port: fleet.port, clock, replyTimeoutMs: 500 });
    const request = async () => {
      const arrived = new Promise<void>((resolve) => asked.push(resolve));
      const reply = session.request("x");
      reply.catch(() => {});
      await arrived;
      return { reply };
    };
    for (let round = 0; round < 3; round++) {
      const { reply } = await request();
      clock.advance(499);
      answer("y");
      await reply;
      // With nothing outstanding there is nothing to be late.
      clock.advance(round === 1 ? 10_000 : 0);
    }
    const { reply } = await request();
    clock.advance(500);
    await expect(reply).rejects.toMatchObject({ code: "PAWL_REPLY_TIMEOUT" });
  });

  it("ends at a reply that does not come, and says that the message may have counted", async () => {
    const clock = new FakeClock();
    fleet = await startFleet(1, { onMessage: () => new Promise(() => {}) });
    const credential = fleet.credentials[0] ?? "";
    const session = await connect({ credential, host, port: fleet.port, clock, replyTimeoutMs: 500 });
    const waiting = session.request("x");
    waiting.catch(() => {});
    await fleet.event("message");
    clock.advance(500);
    await expect(waiting).rejects.toMatchObject({ code: "PAWL_REPLY_TIMEOUT", mayHaveCounted: true });
    expect(await fleet.event("session-ended")).toMatchObject({ by: "peer", reason: "done" });
  });

  it("ends with the violation when its stream is cut or altered, and says that the message may have counted", async () => {
    fleet = await startFleet(1, eager);
    const upstream = { host, port: fleet.port };
    for (const attack of ["cut", "alter"] as const) {
      const proxy = await createProxy({
        upstream,
        program: (connection) =>
          each((frame) => {
            if (frame.header?.opcode !== "AGGREGATE") return pass;
            if (attack === "cut") connection.cut();
            return flip(frame, 36);
          }),
      });
      const session = await fleet.connect(0, { port: proxy.port });
      const error = await session.send("7").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: "SessionEndedError", mayHaveCounted: true, reason: null });
      expect((error as Error).cause).toMatchObject({
        code: attack === "cut" ? "PAWL_TRUNCATION" : "PAWL_HMAC",
      });
      expect((await session.closed).error).toBe((error as Error).cause);
      await proxy.close();
    }
  });
});

describe("connectWithBackoff", () => {
  it("backs off with doubling waits, says when the client may be behind, and gives up when told", async () => {
    const clock = new FakeClock();
    fleet = await startFleet(1, eager);
    const waits: [string, number, boolean][] = [];
    // Another secret than the server's: every HELLO is refused in silence.
    const client = connectWithBackoff({
      credential: someone(),
      host,
      port: fleet.port,
      clock,
      maxAttempts: 9,
      jitter: () => 1,
      onRetry: (error, wait, hint) => {
        waits.push([error.name, wait, hint !== null]);
        setImmediate(() => clock.advance(wait));
      },
    });
    await expect(client.request("x")).rejects.toMatchObject({ code: "PAWL_HANDSHAKE_REFUSED" });
    expect(waits.map(([, wait]) => wait)).toEqual(
      [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1_000),
    );
    expect(waits.map(([, , hint]) => hint)).toEqual([false, false, true, true, true, true, true, true]);
  });

  it("never repeats what may have counted, and goes on with the next message", async () => {
    fleet = await startFleet(1, eager);
    let cut = true;
    const proxy = await createProxy({
      upstream: { host, port: fleet.port },
      program: (connection) =>
        each((frame) => {
          if (!cut || frame.header?.opcode !== "AGGREGATE") return pass;
          cut = false;
          connection.cut();
          return drop;
        }),
    });
    const client = connectWithBackoff({ credential: fleet.credentials[0] ?? "", host, port: proxy.port });
    await expect(client.send("7")).rejects.toMatchObject({ mayHaveCounted: true });
    expect((await client.send("8")).aggregate).toBe("8");
    const counted = fleet.events.flatMap((event) => (event.type === "round" ? [event.aggregate] : []));
    expect(counted).toEqual(["7", "8"]);
    await client.close();
    await proxy.close();
  });

  it("stops for good when it was superseded or revoked", async () => {
    fleet = await startFleet(1, eager);
    const client = connectWithBackoff({ credential: fleet.credentials[0] ?? "", host, port: fleet.port });
    await client.send("1");
    await fleet.keys.revoke(1 as ClientId, "lost");
    await fleet.event("session-ended");
    await expect(client.request(utf8("2"))).rejects.toMatchObject({ reason: "revoked" });
    await expect(client.request(utf8("3"))).rejects.toMatchObject({ reason: "revoked" });
    expect(fleet.events.filter(({ type }) => type === "connection")).toHaveLength(1);
  });
});
