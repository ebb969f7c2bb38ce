import { LENGTH_BYTES, readU32, toHex } from "@pawl/protocol";
import { headerOf } from "../mitm/observed.ts";
import { plural } from "./text.ts";

/** What is written at an arrow: a packet in two lines. */
export interface PacketLabel {
  readonly title: string;
  readonly detail: string;
}

/** The decoded header of a frame; of bytes that are none, their start. */
export function labelOf(frame: Uint8Array): PacketLabel {
  const header = frame.length > LENGTH_BYTES ? headerOf(frame.subarray(LENGTH_BYTES)) : null;
  if (header === null) return { title: "no legal packet", detail: startOf(frame) };
  const { suite, opcode, clientId, epoch, round } = header;
  const claimed = readU32(frame, 0);
  const length = claimed === frame.length - LENGTH_BYTES ? `length ${claimed}` : `claims length ${claimed}`;
  return {
    title: `${opcode} · round ${round} · ${length}`,
    detail: `${suite.name} · client ${clientId} · epoch ${epoch}`,
  };
}

/** `37 bytes: 000000503c01…`. */
export function startOf(bytes: Uint8Array): string {
  const start = toHex(bytes.subarray(0, 12));
  return `${plural(bytes.length, "byte")}: ${start}${bytes.length > 12 ? "…" : ""}`;
}
