import { describe, expect, it } from "vitest";
import { TERMINATE_REASONS } from "../packages/protocol/src/reasons.ts";
import { ServerPeer } from "../packages/protocol/src/testing/peers.ts";
import { bytes, type NegativeVectors, readVectors } from "./load.ts";
import { Receiver } from "./states.ts";

const vectors = readVectors<NegativeVectors>("negative");

describe("negative.json, states", () => {
  it.each(vectors.states)("$id", (state) => {
    const receiver = new Receiver(state.id);
    // A terminated session discards what comes, whatever its length.
    if (state.phase !== "terminated") expect(receiver.frameLimit).toBe(state.frameLimit);
    expect(receiver.violation).toBeNull();
  });
});

describe("negative.json, cases", () => {
  it.each(vectors.cases)("$id", (v) => {
    const receiver = new Receiver(v.state);
    const { peer } = receiver;
    const deliveredBefore = peer.delivered.length;
    receiver.feed(bytes(v.frame));

    if (v.error !== null) {
      expect([v.error, ...(v.also ?? [])]).toContain(receiver.violation);
      expect(receiver.sent).toEqual([]);
      expect(receiver.commits).toEqual([]);
      expect(peer.session.ended).toBe(true);
      expect(peer.delivered.length).toBe(deliveredBefore);
      return;
    }
    expect(receiver.violation).toBeNull();
    expect(receiver.commits).toEqual(v.commits ?? []);
    switch (v.gives) {
      case "CHALLENGE":
        expect(receiver.sent).toHaveLength(1);
        expect(peer.session.state).toBe("wait-first");
        break;
      case "challenge":
        expect(peer.session.state).toBe("ready");
        break;
      case "data":
        expect(peer.delivered.length).toBe(deliveredBefore + 1);
        expect(peer.session.state).toBe("answering");
        break;
      case "aggregate":
        expect(peer.delivered.length).toBe(deliveredBefore + 1);
        expect(peer.session.state).toBe("ready");
        break;
      case "terminate": {
        expect(receiver.sent).toEqual([]);
        const reason = peer.end?.kind === "terminated" && peer.end.by === "peer" ? peer.end.reason : null;
        expect(reason === null ? null : TERMINATE_REASONS[reason]).toBe(v.reason);
        break;
      }
      default:
        throw new Error(`a control gives ${v.gives}`);
    }
    if (peer instanceof ServerPeer) expect(peer.session.ended).toBe(v.gives === "terminate");
  });
});
