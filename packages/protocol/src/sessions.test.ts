import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClientSession } from "./client.ts";
import { nodeCrypto } from "./crypto/node.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import { IllegalTransitionError, MessageTooLargeError } from "./errors.ts";
import { LAST_ROUND } from "./limits.ts";
import type { PaddingPolicy } from "./padding.ts";
import { ServerSession } from "./server.ts";
import { CLASSIC, STRICT, STRICT_GCM, SUITES, type Suite } from "./suites.ts";
import { ClientPeer, countedEntropy, ServerPeer, violationOf } from "./testing/peers.ts";
import { connected, exchange, ID, pair, SECRET } from "./testing/states.ts";

const suites = [CLASSIC, STRICT, STRICT_GCM];
const HI = new TextEncoder().encode("hi");
const last = (peer: ServerPeer | ClientPeer) => peer.sent.at(-1) ?? new Uint8Array();

const padding: fc.Arbitrary<PaddingPolicy> = fc.constantFrom(
  { kind: "none" },
  { kind: "pow2" },
  { kind: "block", size: 100 },
);
const exchanges = fc.array(
  fc.record({
    message: fc.uint8Array({ maxLength: 200 }),
    reply: fc.uint8Array({ maxLength: 200 }),
    cover: fc.boolean(),
    padding,
  }),
  { maxLength: 8 },
);

describe("sessions in any legal order", () => {
  for (const suite of suites) {
    it(`${suite.name}: every message arrives, in order, under fresh packets, and the epochs move once a session`, () => {
      fc.assert(
        fc.property(
          fc.array(exchanges, { minLength: 1, maxLength: 3 }),
          fc.boolean(),
          (sessions, serverEnds) => {
            const first = pair(suite);
            const { database } = first.server;
            const stored = first.client.stored;
            for (const [index, list] of sessions.entries()) {
              const server = new ServerPeer(database, {}, countedEntropy(100 + index));
              const credential = { suite, clientId: ID, ...stored, maxMessage: 1 << 20 };
              const client = new ClientPeer(credential, countedEntropy(200 + index));
              client.start();
              server.receive(last(client));
              client.receive(last(server));
              for (const { message, reply, cover, padding } of list) {
                const kind = cover && suite.strict ? "cover" : "message";
                client.send(message, kind, padding);
                server.receive(last(client));
                expect(server.delivered.at(-1)).toMatchObject({ message, kind });
                server.answer(reply, padding);
                client.receive(last(server));
                expect(client.delivered.at(-1)?.message).toEqual(reply);
              }
              expect(server.session.live).toBe(list.length > 0);
              const [ends, takes] = serverEnds ? [server, client] : [client, server];
              ends.terminate("done");
              if (suite.strict) {
                takes.receive(last(ends));
                expect(takes.end).toEqual({ kind: "terminated", by: "peer", reason: "done" });
                ends.handle({ type: "end-of-stream" });
                expect(ends.end).toEqual({ kind: "terminated", by: "local", reason: "done" });
                // The client is never behind, and at most one ahead: here only where the server ended first.
                const ahead = client.stored.epoch - (database.read(ID)?.epoch ?? 0);
                expect(ahead).toBe(serverEnds && list.length === 0 ? 1 : 0);
              }
              Object.assign(stored, client.stored);
            }
          },
        ),
        { numRuns: 30 },
      );
    });
  }
});

describe("what was sent once is never taken again", () => {
  for (const suite of suites) {
    it(`${suite.name}: every packet of a session, replayed at every later point`, () => {
      const both = connected(suite);
      for (let i = 0; i < 3; i++) exchange(both);
      const frames = { c2s: [...both.client.sent], s2c: [...both.server.sent] };
      for (const frame of frames.c2s) {
        const again = connected(suite);
        for (let i = 0; i < 3; i++) exchange(again);
        again.server.receive(frame);
        expect(["UnexpectedOpcodeError", "DesyncError"]).toContain(violationOf(again.server.end));
      }
      for (const frame of frames.s2c) {
        const again = connected(suite);
        for (let i = 0; i < 3; i++) exchange(again);
        again.client.send(HI);
        again.client.receive(frame);
        expect(["UnexpectedOpcodeError", "DesyncError"]).toContain(violationOf(again.client.end));
      }
    });
  }

  it("a whole recorded session, to the same server: classic takes it, strict does not", () => {
    for (const suite of suites) {
      const both = connected(suite);
      exchange(both);
      const replayed = new ServerPeer(both.server.database, {}, countedEntropy(77));
      replayed.receive(both.client.sent[0] ?? new Uint8Array());
      if (suite.strict) {
        expect(violationOf(replayed.end)).toBe("EpochError");
        expect(replayed.reports).toContainEqual({ type: "stale-epoch", clientId: ID, epoch: 0, stored: 1 });
      } else {
        replayed.receive(both.client.sent[1] ?? new Uint8Array());
        expect(replayed.delivered).toHaveLength(1);
      }
    }
  });
});

describe("the client moves first", () => {
  it("sends nothing after CHALLENGE until its commit is durable, and nothing at all when it fails", () => {
    for (const outcome of ["done", "lost", "unknown"] as const) {
      const both = pair(STRICT);
      both.client.hold = true;
      both.client.start();
      both.server.receive(last(both.client));
      both.client.receive(last(both.server));
      expect(both.client.session.awaiting).toBe(true);
      expect(() => both.client.send(HI)).toThrow(IllegalTransitionError);
      both.client.handle({ type: "committed", outcome });
      expect(both.client.sent).toHaveLength(1);
      expect(both.client.session.ready).toBe(outcome === "done");
      if (outcome !== "done") expect(both.client.end).toEqual({ kind: "commit-failed", outcome });
    }
  });

  it("is let in again however often its first packet is lost", () => {
    const { server, client } = pair(STRICT);
    const stored = client.stored;
    for (let i = 0; i < 5; i++) {
      const again = new ClientPeer({ suite: STRICT, clientId: ID, ...stored }, countedEntropy(300 + i));
      const peer = new ServerPeer(server.database, {}, countedEntropy(400 + i));
      again.start();
      peer.receive(last(again));
      again.receive(last(peer));
      expect(again.session.ready).toBe(true);
      Object.assign(stored, again.stored);
      expect(stored.epoch - (server.database.read(ID)?.epoch ?? 0)).toBe(1);
    }
  });
});

describe("a server's commits", () => {
  it("reads once more after a catch-up that lost, and is silent after a second loss", () => {
    for (const [faults, ended] of [
      [["lost"], false],
      [["unknown"], false],
      [["lost", "lost"], true],
      [["unknown", "lost"], true],
    ] as const) {
      const { client, server } = pair(STRICT, { clientEpoch: 2 });
      server.database.faults.push(...faults);
      client.start();
      server.receive(last(client));
      expect(server.sent).toHaveLength(ended ? 0 : 1);
      expect(server.end).toEqual(ended ? { kind: "lost" } : null);
    }
  });

  it("derives more than 256 epochs by an effect", () => {
    const { client, server } = pair(STRICT, { clientEpoch: 1000, window: 4096 });
    server.hold = true;
    client.start();
    server.receive(last(client));
    server.answerPending();
    expect(server.pending).toMatchObject({ type: "derive", from: 0, to: 1000 });
    server.hold = false;
    server.answerPending();
    expect(server.commits).toMatchObject([{ from: 0, to: 1000 }]);
    client.receive(last(server));
    expect(client.session.ready).toBe(true);
  });

  it("counts nothing when the first packet's outcome is unknown", () => {
    const { client, server } = connected(STRICT);
    server.database.faults.push("unknown");
    client.send(HI);
    server.receive(last(client));
    expect(server.delivered).toEqual([]);
    expect(server.end).toEqual({ kind: "terminated", by: "local", reason: "conflict" });
    client.receive(last(server));
    expect(client.end).toEqual({ kind: "terminated", by: "peer", reason: "conflict" });
  });

  it("reads the record again where the epoch was said to have moved, and goes on if it had not", () => {
    const both = connected(STRICT, { clientEpoch: 1 });
    both.server.handle({ type: "epoch-moved" });
    exchange(both);
    expect(both.server.commits.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  it("loses to another session of the same epoch, by evidence alone where its secret is gone", () => {
    for (const told of [false, true]) {
      const winner = connected(STRICT);
      const loser = new ServerPeer(winner.server.database, {}, countedEntropy(55));
      const client = new ClientPeer(
        {
          suite: STRICT,
          clientId: ID,
          epoch: winner.client.commits[0]?.from as never,
          secret: SECRET,
          last: new Uint8Array(16),
        },
        countedEntropy(56),
      );
      client.start();
      loser.receive(last(client));
      client.receive(last(loser));
      exchange(winner);
      if (told) loser.handle({ type: "epoch-moved" });
      client.send(HI);
      loser.receive(last(client));
      expect(loser.end).toEqual({ kind: "terminated", by: "local", reason: "conflict" });
      expect(loser.reports).toContainEqual({
        type: "clone-detected",
        clientId: ID,
        epoch: 0,
        stored: 1,
      });
      expect(loser.delivered).toEqual([]);
    }
  });

  it("ends with revoked where the client is gone", () => {
    const { client, server } = connected(STRICT);
    server.database.records.delete(ID);
    client.send(HI);
    server.receive(last(client));
    expect(server.end).toEqual({ kind: "terminated", by: "local", reason: "revoked" });
  });
});

describe("ends", () => {
  it("are truncations in strict, clean in classic and before HELLO", () => {
    for (const suite of suites) {
      const { client, server } = connected(suite);
      client.handle({ type: "end-of-stream" });
      server.handle({ type: "end-of-stream" });
      for (const { end } of [client, server]) {
        expect(violationOf(end)).toBe(suite.strict ? "TruncationError" : null);
      }
      const fresh = pair(suite).server;
      fresh.handle({ type: "end-of-stream" });
      expect(fresh.end).toEqual({ kind: "end-of-stream" });
    }
  });

  it("come in silence at a deadline and by abort", () => {
    const half = connected(STRICT).server;
    half.handle({ type: "deadline" });
    expect(half.end).toEqual({ kind: "deadline" });
    const aborted = connected(STRICT).server;
    aborted.handle({ type: "abort" });
    expect(aborted.end).toEqual({ kind: "aborted" });
    expect([half.sent.length, aborted.sent.length]).toEqual([1, 1]);
    const classic = connected(CLASSIC).server;
    classic.terminate("shutdown");
    expect(classic.end).toEqual({ kind: "aborted" });
  });

  it("take both TERMINATE at once for clean", () => {
    const { client, server } = connected(STRICT);
    client.terminate("done");
    server.terminate("shutdown");
    client.receive(last(server));
    server.receive(last(client));
    client.handle({ type: "end-of-stream" });
    expect([client.end, server.end]).toEqual([
      { kind: "terminated", by: "local", reason: "done" },
      { kind: "terminated", by: "local", reason: "shutdown" },
    ]);
  });

  it("renew before the round would pass 2^32-2", () => {
    class Late extends ClientSession {
      skip(): void {
        this.tx = LAST_ROUND;
        this.rx = LAST_ROUND;
      }
    }
    const credential = {
      suite: STRICT,
      clientId: ID,
      epoch: 0 as never,
      secret: SECRET,
      last: new Uint8Array(16),
    };
    const session = new Late({ crypto: nodeCrypto, ...credential, secret: SECRET.slice() });
    const client = new ClientPeer({ ...credential, session });
    const { server } = pair(STRICT);
    client.start();
    server.receive(last(client));
    client.receive(last(server));
    session.skip();
    client.send(HI);
    expect(session.round).toBe(LAST_ROUND + 1);
    client.handle({ type: "abort" });

    const next = new Late({ crypto: nodeCrypto, ...credential, secret: SECRET.slice() });
    const renewing = new ClientPeer({ ...credential, session: next });
    const other = pair(STRICT).server;
    renewing.start();
    other.receive(last(renewing));
    renewing.receive(last(other));
    next.skip();
    Object.assign(next, { tx: LAST_ROUND + 1 });
    renewing.send(HI);
    expect(renewing.end).toEqual({ kind: "terminated", by: "local", reason: "renew" });
  });
});

describe("limits", () => {
  it("refuse a message that is too long, and nothing has changed", () => {
    for (const suite of suites) {
      const both = connected(suite, { maxMessage: 65_536 });
      expect(both.client.session.messageLimit).toBe(16_384);
      expect(() => both.client.send(new Uint8Array(16_385))).toThrow(MessageTooLargeError);
      exchange(both, new Uint8Array(16_384));
      expect(both.client.session.messageLimit).toBe(65_536);
      exchange(both, new Uint8Array(65_536), new Uint8Array(65_536));
      both.client.send(HI);
      both.server.receive(last(both.client));
      expect(() => both.server.answer(new Uint8Array(65_537))).toThrow(MessageTooLargeError);
      both.server.answer(HI);
      both.client.receive(last(both.server));
      expect(both.client.delivered).toHaveLength(3);
    }
  });

  it("hold for a server's own settings", () => {
    for (const maxMessage of [4095, 1.5, 2 ** 32]) {
      expect(() => new ServerSession({ crypto: nodeCrypto, suites: SUITES, maxMessage })).toThrow(RangeError);
    }
  });

  it("have no cover in classic", () => {
    const { client } = connected(CLASSIC);
    expect(() => client.send(HI, "cover")).toThrow(IllegalTransitionError);
  });

  it("refuse a second connection of a live classic client", () => {
    const { client, server } = pair(CLASSIC);
    client.start();
    server.hold = true;
    server.receive(last(client));
    const record = server.database.read(ID);
    server.handle({ type: "found", record, live: true, ...countedEntropy()() });
    expect(server.end).toMatchObject({
      kind: "violation",
      error: { name: "IdentityError", subject: "live" },
    });
  });
});

describe("keys", () => {
  /** Remembers, by reference, every key that the core hands to a primitive. */
  function watching(): { crypto: CryptoProvider; keys: Uint8Array[] } {
    const keys: Uint8Array[] = [];
    const note = (key: Uint8Array) => {
      keys.push(key);
      return key;
    };
    return {
      keys,
      crypto: {
        ...nodeCrypto,
        hmacSha256: (key, ...parts) => nodeCrypto.hmacSha256(note(key), ...parts),
        cbcEncrypt: (key, iv, text) => nodeCrypto.cbcEncrypt(note(key), iv, text),
        cbcDecrypt: (key, iv, text) => nodeCrypto.cbcDecrypt(note(key), iv, text),
        gcmSeal: (key, nonce, ad, text) => nodeCrypto.gcmSeal(note(key), nonce, ad, text),
        gcmOpen: (key, nonce, ad, text, tag) => nodeCrypto.gcmOpen(note(key), nonce, ad, text, tag),
      },
    };
  }

  for (const suite of suites as Suite[]) {
    it(`${suite.name}: every buffer that held one is overwritten when the session is over`, () => {
      const { crypto, keys } = watching();
      const { client: plain, server: other } = pair(suite, { clientEpoch: suite.strict ? 3 : 0 });
      const credential = { suite, clientId: ID, ...plain.stored };
      const session = new ClientSession({ crypto, ...credential, secret: plain.stored.secret.slice() });
      const client = new ClientPeer({ ...credential, session });
      const server = new ServerPeer(other.database, { crypto });
      client.start();
      server.receive(last(client));
      client.receive(last(server));
      exchange({ client, server });
      exchange({ client, server });
      client.terminate("done");
      if (suite.strict) server.receive(last(client));
      else server.handle({ type: "end-of-stream" });
      expect(client.session.ended && server.session.ended).toBe(true);
      expect(keys.length).toBeGreaterThan(10);
      expect(keys.filter((key) => key.some((byte) => byte !== 0))).toEqual([]);
    });
  }
});

describe("a HELLO that is refused", () => {
  it("tells this side, in a field, whether its client is unknown or revoked", () => {
    for (const subject of ["unknown", "revoked"] as const) {
      const { client, server } = pair(STRICT);
      const known = server.database.read(ID);
      if (subject === "unknown") server.database.records.delete(ID);
      else if (known !== null) server.database.put({ ...known, revoked: true });
      client.start();
      server.receive(last(client));
      expect(server.end).toMatchObject({ kind: "violation", error: { name: "IdentityError", subject } });
      expect([server.session.helloClient, server.session.helloEpoch, server.sent]).toEqual([ID, 0, []]);
    }
  });

  it("costs the same for an unknown, a revoked and a known client, so that time does not tell them apart", () => {
    for (const suite of suites) {
      const work = (prepare: (server: ServerPeer) => void) => {
        const calls = { hmac: 0, decrypt: 0 };
        const crypto: CryptoProvider = {
          ...nodeCrypto,
          hmacSha256: (...args) => {
            calls.hmac++;
            return nodeCrypto.hmacSha256(...args);
          },
          gcmOpen: (...args) => {
            calls.decrypt++;
            return nodeCrypto.gcmOpen(...args);
          },
        };
        const { client, server: plain } = pair(suite);
        const server = new ServerPeer(plain.database, { crypto });
        prepare(server);
        client.start();
        server.receive(last(client));
        expect(server.end).toMatchObject({ kind: "violation" });
        return calls;
      };
      const record = (server: ServerPeer) => server.database.records.get(ID);
      const wrongKey = work((server) => record(server)?.secret.fill(9));
      const unknown = work((server) => server.database.records.delete(ID));
      const revoked = work((server) => {
        const known = server.database.read(ID);
        if (known !== null) server.database.put({ ...known, revoked: true });
      });
      expect(revoked).toEqual(unknown);
      // Classic derives with SHA-256 what strict derives with HMAC; the decoy is that of strict.
      if (suite.strict) expect(unknown).toEqual(wrongKey);
    }
  });
});
