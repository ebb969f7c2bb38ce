import {
  concat,
  FrameReader,
  firstMessageLimit,
  MAX_HANDSHAKE_PACKET,
  packetLimit,
  toHex,
  u32,
} from "@pawl/protocol";
import type { FramingVectors } from "./load.ts";
import { Play, suiteOf } from "./play.ts";
import { sessionVector } from "./states.ts";

/** Plays the streams of framing.json, cut in any way. */

export function limitOf(v: FramingVectors["limits"][number]): number {
  if (v.phase.startsWith("wait-")) return MAX_HANDSHAKE_PACKET;
  const message = v.phase.includes("no DATA yet") ? firstMessageLimit(v.maxMessage) : v.maxMessage;
  return packetLimit(suiteOf(v.suite), message);
}

/** Gives one direction of a session to its receiver in the pieces that `cut` makes of it; the other direction falls due. */
export function receiveStream(v: FramingVectors["streams"][number], pieces: readonly Uint8Array[]) {
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
      const frame = concat(u32(packet.length), packet);
      if (toHex(frame) !== due.frame) throw new Error(`${due.name} came out of the stream altered`);
      play.produce();
      play.give(due, frame);
      packets++;
      catchUp();
    }
  }
  return { receiver, packets };
}
