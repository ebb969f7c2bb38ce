import { FrameReader, MIN_PACKET, packetLimit } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { firstMessageLimit, MAX_HANDSHAKE_PACKET } from "../packages/protocol/src/suites.ts";
import { violationOf } from "../packages/protocol/src/testing/peers.ts";
import { bytes, type FramingVectors, readVectors } from "./load.ts";
import { Play, suiteOf } from "./play.ts";
import { Receiver, sessionVector } from "./states.ts";

const vectors = readVectors<FramingVectors>("framing");

describe("framing.json, limits", () => {
  it.each(vectors.limits)("$id", (v) => {
    const limit = v.phase.startsWith("wait-")
      ? MAX_HANDSHAKE_PACKET
      : packetLimit(
          suiteOf(v.suite),
          v.phase.includes("no DATA yet") ? firstMessageLimit(v.maxMessage) : v.maxMessage,
        );
    expect({ least: MIN_PACKET, most: limit }).toEqual({ least: v.least, most: v.most });
  });

  it.each(vectors.prefixes)("$id", (v) => {
    const receiver = new Receiver(v.state);
    receiver.feed(bytes(v.bytes));
    expect(receiver.violation).toBe(v.error);
    expect(receiver.sent).toEqual([]);
  });

  it.each(vectors.ends)("$id", (v) => {
    const receiver = new Receiver(v.state);
    receiver.feed(bytes(v.bytes));
    receiver.close();
    expect(receiver.violation).toBe(v.error);
    expect(receiver.sent).toEqual([]);
    expect(receiver.commits).toEqual([]);
  });
});

/** Gives one direction of a session to its receiver in the pieces that `cut` makes of it; the other direction falls due. */
function receiveStream(v: FramingVectors["streams"][number], pieces: readonly Uint8Array[]) {
  const vector = sessionVector(v.session);
  const play = new Play(vector);
  const receiver = v.receiver === "server" ? play.server : play.client;
  const reader = new FrameReader();
  let packets = 0;
  const catchUp = () => {
    // What the receiver itself sends goes out as it falls due.
    while (play.nextPacket !== undefined && play.nextPacket.direction !== v.direction) {
      if (packets === v.packets.length) return;
      const { packet, frame } = play.produce();
      if (frame !== undefined && !packet.crosses) play.give(packet, frame);
    }
  };
  catchUp();
  for (const piece of pieces) {
    reader.push(piece);
    for (;;) {
      const packet = receiver.session.ended ? null : reader.next(receiver.session.frameLimit);
      if (packet === null) break;
      const due = vector.packets.filter((p) => p.direction === v.direction)[packets];
      if (due === undefined) throw new Error("more packets than the session has");
      const frame = new Uint8Array(packet.length + 4);
      new DataView(frame.buffer).setUint32(0, packet.length);
      frame.set(packet, 4);
      expect(Buffer.from(frame).toString("hex")).toBe(due.frame);
      play.produce();
      play.give(due, frame);
      packets++;
      catchUp();
    }
  }
  return { receiver, packets };
}

describe("framing.json, streams", () => {
  it.each(vectors.streams)("$id", (v) => {
    const stream = bytes(v.stream);
    const whole = (pieces: readonly Uint8Array[]) => {
      const { receiver, packets } = receiveStream(v, pieces);
      expect(packets).toBe(v.packets.length);
      expect(violationOf(receiver.end)).toBeNull();
    };
    whole([stream]);
    whole(Array.from(stream, (byte) => Uint8Array.of(byte)));
    for (let at = 1; at < stream.length; at += 7) whole([stream.subarray(0, at), stream.subarray(at)]);
  });

  it.each(vectors.streams)("$id, cut short", (v) => {
    const stream = bytes(v.stream);
    for (const { from, to, packets: expected, error } of v.cuts) {
      for (const k of new Set([from, from + 1, from + 3, from + 4, Math.floor((from + to) / 2), to])) {
        if (k < from || k > to) continue;
        const { receiver, packets } = receiveStream(v, [stream.subarray(0, k)]);
        receiver.handle({ type: "end-of-stream" });
        expect({ k, packets, error: violationOf(receiver.end) }).toEqual({ k, packets: expected, error });
      }
    }
  });
});
