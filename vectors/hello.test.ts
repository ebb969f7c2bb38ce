import {
  type Accepted,
  type ClientId,
  ClientSession,
  type Epoch,
  EpochExhaustedError,
  nodeCrypto,
  ServerSession,
  SUITES,
  toHex,
} from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { TERMINATE_REASONS } from "../packages/protocol/src/reasons.ts";
import { ClientPeer, ServerPeer, TestDatabase, violationOf } from "../packages/protocol/src/testing/peers.ts";
import { bytes, type CommitVector, type HelloVectors, readVectors } from "./load.ts";
import { recordOf, suiteOf } from "./play.ts";

const vectors = readVectors<HelloVectors>("hello");

const acceptedOf = (v: { epoch: number; T: string } | null | undefined): Accepted | null =>
  v ? { epoch: v.epoch as Epoch, t: bytes(v.T) } : null;
const hexCommits = (made: readonly { from: number; to: number; secret: Uint8Array }[]): CommitVector[] =>
  made.map(({ from, to, secret }) => ({ from, to, secret: toHex(secret) }));

describe("hello.json, server", () => {
  it.each(vectors.server)("$id", (v) => {
    const database = new TestDatabase();
    if (v.server !== null) {
      database.put({ ...recordOf(v.clientId, v.server), accepted: acceptedOf(v.accepted) });
    }
    const session = new ServerSession({
      crypto: nodeCrypto,
      suites: SUITES,
      maxMessage: v.maxMessage ?? 1 << 20,
    });
    const peer = new ServerPeer(database, { session }, () => ({
      nonce: bytes(v.serverNonce ?? "00".repeat(32)),
      iv: bytes(v.challengeIv ?? "00".repeat(16)),
    }));
    const clones = () => peer.reports.filter((r) => r.type === "clone-detected").length;

    peer.receive(bytes(v.hello));
    expect(hexCommits(peer.commits)).toEqual(v.commits);
    if (!v.staleEpochEventOpen) {
      expect(peer.reports.some((r) => r.type === "stale-epoch")).toBe(v.staleEpochEvent);
    }
    expect(clones() > 0).toBe(v.cloneDetectedEvent);
    if (v.outcome === "CHALLENGE") {
      expect(peer.sent.map(toHex)).toEqual([v.challenge]);
    } else {
      expect(violationOf(peer.end)).toBe(v.outcome);
      expect(peer.sent).toEqual([]);
    }

    for (const step of v.then ?? []) {
      const [sent, commits, delivered, reported] = [
        peer.sent.length,
        peer.commits.length,
        peer.delivered.length,
        clones(),
      ];
      if (step.op === "database") {
        database.put({ ...recordOf(v.clientId, step.record), accepted: acceptedOf(step.accepted) });
        continue;
      }
      if (step.op === "aggregate") {
        peer.entropy = () => ({ nonce: new Uint8Array(32), iv: bytes(step.iv) });
        peer.answer(bytes(step.message));
        expect(peer.sent.slice(sent).map(toHex)).toEqual([step.frame]);
        continue;
      }
      if (step.terminateIv !== undefined) {
        const iv = bytes(step.terminateIv);
        peer.entropy = () => ({ nonce: new Uint8Array(32), iv });
      }
      peer.receive(bytes(step.frame));
      expect(hexCommits(peer.commits.slice(commits))).toEqual(step.commits);
      expect(clones() > reported).toBe(step.cloneDetectedEvent ?? false);
      if (step.gives === "data") {
        expect(peer.delivered.length).toBe(delivered + 1);
      } else if (step.gives === "terminate") {
        expect(peer.end).toMatchObject({ kind: "terminated", by: "peer" });
      } else {
        expect(step.gives).toBe("ended");
        expect(peer.delivered.length).toBe(delivered);
        expect(peer.session.ended).toBe(true);
        expect(peer.sent.slice(sent).map(toHex)).toEqual(
          step.terminate === undefined ? [] : [step.terminate],
        );
        if (peer.end?.kind === "terminated") {
          expect(TERMINATE_REASONS[peer.end.reason]).toBe(step.terminateReason);
        } else {
          expect(step.terminateReason).toBeNull();
          expect(peer.end).toEqual({ kind: "lost" });
        }
      }
    }

    const after = database.read(v.clientId as ClientId);
    if (v.serverAfter) {
      const { generation, epoch, secret, revoked, window } = recordOf(v.clientId, v.serverAfter);
      expect(after).toMatchObject({ generation, epoch, revoked, window });
      expect(toHex(after?.secret ?? new Uint8Array())).toBe(toHex(secret));
    }
    if (v.acceptedAfter !== undefined) {
      expect(after?.accepted ?? null).toEqual(acceptedOf(v.acceptedAfter) ?? null);
    }
  });
});

describe("hello.json, client", () => {
  it.each(vectors.client)("$id", (v) => {
    const options = {
      suite: suiteOf(v.suite),
      clientId: v.clientId as ClientId,
      epoch: v.client.epoch as Epoch,
      secret: bytes(v.client.secret),
      last: bytes(v.client.last),
    };
    if (v.outcome === "refused") {
      expect(() => new ClientSession({ crypto: nodeCrypto, ...options })).toThrow(EpochExhaustedError);
      return;
    }
    const entropy = { nonce: bytes(v.nonce ?? ""), iv: bytes(v.helloIv ?? "") };
    const peer = new ClientPeer(options, () => entropy);
    peer.start();
    expect(peer.sent.map(toHex)).toEqual([v.hello]);
    peer.receive(bytes(v.challenge ?? ""));
    expect(hexCommits(peer.commits)).toEqual(v.commits);
    if (v.outcome === "ready") {
      expect(peer.maxMessage).toBe(v.maxMessage);
      expect(toHex(peer.stored.last)).toBe(v.T?.slice(0, 32));
    } else {
      expect(violationOf(peer.end)).toBe(v.outcome);
      expect(peer.sent).toHaveLength(1);
    }
  });
});
