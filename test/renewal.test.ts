import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type BackoffOptions,
  type CredentialStore,
  connectWithBackoff,
  type ReconnectingClient,
  writeCredentialFile,
} from "@pawl/client";
import { createProxy, drop as dropped, each, type FrameProxy, pass } from "@pawl/lab";
import { type ClientId, utf8 } from "@pawl/protocol";
import { createMemoryStore } from "@pawl/server/keys";
import { afterEach, describe, expect, it } from "vitest";
import { FakeClock } from "../packages/server/src/testing/fake-clock.ts";
import { type Fleet, startFleet } from "./support/fleet.ts";
import { failing } from "./support/stores.ts";

/** What a client does when the server renews its session. */

let fleet: Fleet;
let client: ReconnectingClient | null = null;
let proxy: FrameProxy | null = null;
afterEach(async () => {
  await client?.close();
  await proxy?.close();
  [client, proxy] = [null, null];
  await fleet?.close();
});

const host = "127.0.0.1";
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const count = (type: string) => fleet.events.filter((event) => event.type === type).length;

function reconnecting(options: Partial<BackoffOptions> = {}): ReconnectingClient {
  const credential = fleet.credentials[0] ?? "";
  client = connectWithBackoff({ credential, host, port: fleet.port, jitter: () => 1, ...options });
  return client;
}

/** An application that notes what counted. */
function counting(counted: string[]) {
  return {
    onMessage: (_session: unknown, message: Uint8Array) => {
      counted.push(text(message));
      return message;
    },
  };
}

describe("a renewal", () => {
  it("brings the client back at once, live at the next epoch, with nothing to send", async () => {
    const clock = new FakeClock();
    const counted: string[] = [];
    fleet = await startFleet(1, { ...counting(counted), clock, rotation: { maxSessionAgeMs: 1_000 } });
    const retries: string[] = [];
    reconnecting({ onRetry: ({ message }) => retries.push(message) });
    await client?.request("a");
    clock.advance(1_000);
    await fleet.event("session-live", ({ epoch }) => epoch === 1);
    expect((await fleet.keys.get(1 as ClientId))?.epoch).toBe(2);
    await client?.request("b");
    expect(counted).toEqual(["a", "b"]);
    expect([count("connection"), retries]).toEqual([2, []]);
  });

  it("leaves the message that was outstanding uncounted, and the client repeats it", async () => {
    const clock = new FakeClock();
    const counted: string[] = [];
    fleet = await startFleet(1, { ...counting(counted), clock, rotation: { maxSessionAgeMs: 1_000 } });
    let drop = 0;
    proxy = await createProxy({
      upstream: { host, port: fleet.port },
      program: () =>
        each(({ header }) => {
          if (header?.opcode !== "DATA" || header.round !== 2 || drop-- <= 0) return pass;
          // It crosses the server's TERMINATE.
          clock.advance(1_000);
          return dropped;
        }),
    });
    drop = 1;
    const plain = await fleet.connect(0, { port: proxy.port });
    await plain.request("a");
    await expect(plain.request("b")).rejects.toMatchObject({
      name: "SessionEndedError",
      reason: "renew",
      mayHaveCounted: false,
    });
    await plain.closed;

    drop = 1;
    // One attempt is enough: a renewal is no failure.
    reconnecting({ port: proxy.port, maxAttempts: 1 });
    expect(text((await client?.request("c")) ?? utf8(""))).toBe("c");
    expect(text((await client?.request("d")) ?? utf8(""))).toBe("d");
    expect(counted).toEqual(["a", "c", "d"]);
    expect(fleet.events.filter((event) => event.type === "message" && event.cover)).toEqual([]);
  });

  it("loses nothing and counts nothing twice, however many are in line, with a credential file", async () => {
    const counted: string[] = [];
    fleet = await startFleet(1, { ...counting(counted), rotation: { maxSessionRounds: 3 } });
    const folder = await mkdtemp(join(tmpdir(), "pawl-renewal-"));
    const credential = join(folder, "meter.pawl");
    await writeCredentialFile(credential, await (fleet.credentials[0] as CredentialStore).load());
    const messages = Array.from({ length: 40 }, (_, index) => String(index));
    reconnecting({ credential, maxAttempts: 1 });
    const answers = await Promise.all(messages.map((message) => client?.request(message)));
    expect(answers.map((answer) => text(answer ?? utf8("")))).toEqual(messages);
    expect(counted).toEqual(messages);
    await client?.close();
    await rm(folder, { recursive: true });
  });

  it("at any moment loses nothing and counts nothing twice", async () => {
    const counted: string[] = [];
    fleet = await startFleet(1, {
      // Some answers take a while, so that sessions grow old over them.
      onMessage: async (_session, message) => {
        counted.push(text(message));
        if (counted.length % 7 === 0) await sleep(4);
        return message;
      },
      rotation: { maxSessionAgeMs: 3 },
    });
    reconnecting({ maxAttempts: 1, jitter: () => 0 });
    const messages = Array.from({ length: 300 }, (_, index) => String(index));
    for (const [index, message] of messages.entries()) {
      expect(text((await client?.request(message)) ?? utf8(""))).toBe(message);
      // Some leave at once, some a turn later, some when the session may have gone.
      if (index % 3 === 1) await new Promise(setImmediate);
      if (index % 10 === 9) await sleep(2);
    }
    expect(counted).toEqual(messages);
    const renewals = fleet.events.filter(
      (event) => event.type === "session-ended" && event.reason === "renew",
    );
    expect(renewals.length).toBeGreaterThan(5);
  });

  it("upon a renewal is waited for, and a message does not wait with it", async () => {
    const [serverClock, clock] = [new FakeClock(), new FakeClock()];
    fleet = await startFleet(1, {
      onMessage: (_session, message) => message,
      clock: serverClock,
      rotation: { maxSessionAgeMs: 1 },
    });
    // Each session is renewed as soon as it is live.
    fleet.server.events.on("session-live", () => setImmediate(() => serverClock.advance(1)));
    const waits: number[] = [];
    reconnecting({ clock, onRetry: (_error, wait) => waits.push(wait) });
    await client?.request("a");
    await expect.poll(() => waits).toEqual([1_000]);
    expect(count("session-live")).toBe(2);
    clock.advance(999);
    await sleep(20);
    expect(count("session-live")).toBe(2);
    clock.advance(1);
    await expect.poll(() => waits).toEqual([1_000, 2_000]);
    expect(count("session-live")).toBe(3);

    // Nobody moves the clock here.
    expect(text((await client?.request("b")) ?? utf8(""))).toBe("b");
    expect(count("session-live")).toBe(4);
  });

  it("after a session of a minute is none upon another", async () => {
    const [serverClock, clock] = [new FakeClock(), new FakeClock()];
    fleet = await startFleet(1, {
      onMessage: (_session, message) => message,
      clock: serverClock,
      rotation: { maxSessionAgeMs: 60_000 },
    });
    reconnecting({ clock, replyTimeoutMs: 600_000, onRetry: () => expect.unreachable() });
    await client?.request("a");
    for (let epoch = 1; epoch <= 3; epoch++) {
      clock.advance(60_000);
      serverClock.advance(60_000);
      await fleet.event("session-live", (event) => event.epoch === epoch);
    }
  });

  it("that cannot be followed is told of, and the next message tries again", async () => {
    const clock = new FakeClock();
    fleet = await startFleet(1, {
      onMessage: (_session, message) => message,
      clock,
      rotation: { maxSessionAgeMs: 1_000 },
    });
    const inner = fleet.credentials[0] as CredentialStore;
    let broken = false;
    const credential: CredentialStore = {
      load: () => (broken ? Promise.reject(new Error("the disk is gone")) : inner.load()),
      commit: (expected, next) => inner.commit(expected, next),
      close: () => inner.close(),
    };
    const lost: string[] = [];
    reconnecting({ credential, onLost: ({ message }) => lost.push(message) });
    await client?.request("a");
    broken = true;
    clock.advance(1_000);
    await expect.poll(() => lost).toEqual(["the disk is gone"]);
    await expect(client?.request("b")).rejects.toThrow("the disk is gone");
    broken = false;
    expect(text((await client?.request("c")) ?? utf8(""))).toBe("c");
  });
});

describe("another proper end", () => {
  it("with a conflict has the message repeated after a wait, not at once", async () => {
    const fails = { commit: false };
    const counted: string[] = [];
    fleet = await startFleet(1, { ...counting(counted), keys: failing(createMemoryStore(), fails) });
    const clock = new FakeClock();
    const waits: string[] = [];
    reconnecting({
      clock,
      onRetry: (error, wait) => {
        waits.push(`${(error as { reason?: string }).reason} ${wait}`);
        fails.commit = false;
        void fleet.event("store-available").then(() => clock.advance(wait));
      },
    });
    await client?.open();
    fails.commit = true;
    expect(text((await client?.request("a")) ?? utf8(""))).toBe("a");
    expect([counted, waits]).toEqual([["a"], ["conflict 1000"]]);
  });

  it("leaves the client away until it has something to send", async () => {
    const clock = new FakeClock();
    fleet = await startFleet(1, {
      onMessage: (_session, message) => message,
      clock,
      limits: { idleMs: 1_000 },
    });
    const clientClock = new FakeClock();
    reconnecting({
      clock: clientClock,
      onRetry: (_error, wait) => setImmediate(() => clientClock.advance(wait)),
    });
    await client?.request("a");
    clock.advance(1_000);
    await fleet.event("session-ended");
    await sleep(30);
    expect(count("connection")).toBe(1);
    expect(text((await client?.request("b")) ?? utf8(""))).toBe("b");
  });
});

describe("close", () => {
  it("ends the wait for the next attempt, and what is under way", async () => {
    const clock = new FakeClock();
    fleet = await startFleet(1, { onMessage: (_session, message) => message });
    reconnecting({ port: 1, clock, credential: fleet.credentials[0] ?? "" });
    const waiting = client?.request("a");
    waiting?.catch(() => {});
    await expect.poll(() => clock.pending).toBe(1);
    await client?.close();
    await expect(waiting).rejects.toThrow("the client was closed");
    expect(clock.pending).toBe(0);
  });
});
