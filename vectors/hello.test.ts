import { toHex } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { TERMINATE_REASONS } from "../packages/protocol/src/reasons.ts";
import { violationOf } from "../packages/protocol/src/testing/peers.ts";
import { clientOf, hexAccepted, hexCommits, hexRecord, serverOf, takeStep } from "./hello-play.ts";
import { bytes, type HelloVectors, readVectors } from "./load.ts";

const vectors = readVectors<HelloVectors>("hello");

describe("hello.json, server", () => {
  it.each(vectors.server)("$id", (v) => {
    const play = serverOf(v);
    const { peer, database, clones } = play;
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
      const done = takeStep(v, step, play);
      if (step.op === "database") continue;
      if (step.op === "aggregate") {
        expect(done.sent).toEqual([step.frame]);
        continue;
      }
      expect(done.commits).toEqual(step.commits);
      expect(done.clones > 0).toBe(step.cloneDetectedEvent ?? false);
      expect(done.delivered).toBe(step.gives === "data" ? 1 : 0);
      if (step.gives === "terminate") {
        expect(peer.end).toMatchObject({ kind: "terminated", by: "peer" });
      } else if (step.gives === "ended") {
        expect(peer.session.ended).toBe(true);
        expect(done.sent).toEqual(step.terminate === undefined ? [] : [step.terminate]);
        if (peer.end?.kind === "terminated") {
          expect(TERMINATE_REASONS[peer.end.reason]).toBe(step.terminateReason);
        } else {
          expect(step.terminateReason).toBeNull();
          expect(peer.end).toEqual({ kind: "lost" });
        }
      }
    }

    if (v.serverAfter) expect(hexRecord(database, v.clientId, v.serverAfter)).toEqual(v.serverAfter);
    if (v.acceptedAfter !== undefined) expect(hexAccepted(database, v.clientId)).toEqual(v.acceptedAfter);
  });
});

describe("hello.json, client", () => {
  it.each(vectors.client)("$id", (v) => {
    const peer = clientOf(v);
    if (v.outcome === "refused" || peer === null) {
      expect([v.outcome, peer]).toEqual(["refused", null]);
      return;
    }
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
