import { WrongAnswerError } from "../cells/measurement.ts";
import { processorTime } from "../inside.ts";
import type { Channel } from "./channel.ts";

/** Sealed, then opened, then forgotten: few enough to stay in the caches, and to be counted in microseconds. */
export const BATCH = 50;

/** Microseconds of this process's processor time a packet, garbage collection included. */
export interface PacketTimes {
  readonly seal: number;
  readonly open: number;
}

/** Seals and opens batch by batch, until `enough` packets have been. @throws WrongAnswerError where another message comes out */
export function measure(
  channel: Channel,
  message: Uint8Array,
  enough: (packets: number) => boolean,
): PacketTimes {
  let packets = 0;
  let sealing = 0;
  let opening = 0;
  while (!enough(packets)) {
    const frames: Uint8Array[] = [];
    const started = processorTime();
    for (let i = 0; i < BATCH; i++) frames.push(channel.seal(message));
    const sealed = processorTime();
    const arrived = frames.map((frame) => channel.carry(frame));
    const opened: Uint8Array[] = [];
    const opens = processorTime();
    for (const packet of arrived) opened.push(channel.open(packet));
    opening += processorTime() - opens;
    sealing += sealed - started;
    packets += BATCH;
    for (const one of opened) if (Buffer.compare(one, message) !== 0) throw new WrongAnswerError();
  }
  return { seal: sealing / packets, open: opening / packets };
}
