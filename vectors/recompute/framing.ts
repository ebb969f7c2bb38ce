import { MIN_PACKET } from "@pawl/protocol";
import { violationOf } from "../../packages/protocol/src/testing/peers.ts";
import { bytes, type FramingVectors } from "../load.ts";
import { Receiver, sessionVector } from "../states.ts";
import { limitOf, receiveStream } from "../stream-play.ts";
import { fill } from "./schedule.ts";

export function recomputeFraming(file: FramingVectors & Record<string, unknown>): Record<string, unknown> {
  const afterFeeding = (state: string, fed: string, close: boolean) => {
    const receiver = new Receiver(state);
    receiver.feed(bytes(fed));
    if (close) receiver.close();
    return receiver.violation;
  };
  return {
    ...file,
    limits: file.limits.map((v) => fill(v, { least: MIN_PACKET, most: limitOf(v) })),
    prefixes: file.prefixes.map((v) => fill(v, { error: afterFeeding(v.state, v.bytes, false) })),
    ends: file.ends.map((v) => fill(v, { error: afterFeeding(v.state, v.bytes, true) })),
    streams: file.streams.map((v) => {
      const due = sessionVector(v.session).packets.filter((p) => p.direction === v.direction && !p.crosses);
      const boundaries: number[] = [];
      for (const { frame } of due) boundaries.push((boundaries.at(-1) ?? 0) + frame.length / 2);
      const stream = due.map(({ frame }) => frame).join("");
      const cuts = v.cuts.map((cut) => {
        const { receiver, packets } = receiveStream(v, [bytes(stream).subarray(0, cut.from)]);
        receiver.handle({ type: "end-of-stream" });
        return fill(cut, { packets, error: violationOf(receiver.end) });
      });
      return fill(v, { packets: due.map(({ name }) => name), boundaries, stream, cuts });
    }),
  };
}
