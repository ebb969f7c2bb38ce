import { MIN_PACKET } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { violationOf } from "../packages/protocol/src/testing/peers.ts";
import { bytes, type FramingVectors, readVectors } from "./load.ts";
import { Receiver } from "./states.ts";
import { limitOf, receiveStream } from "./stream-play.ts";

const vectors = readVectors<FramingVectors>("framing");

describe("framing.json, limits", () => {
  it.each(vectors.limits)("$id", (v) => {
    expect({ least: MIN_PACKET, most: limitOf(v) }).toEqual({ least: v.least, most: v.most });
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
