import { LENGTH_BYTES } from "@pawl/protocol";
import { type Action, replace } from "../actions.ts";
import type { ObservedFrame } from "../observed.ts";
import { flipBit, type Span, spansOf } from "../packet.ts";
import type { Field, Parameters } from "./parameters.ts";

/** Turns a bit of a packet, or of a field; a frame that has no such byte passes, which is said. */
export function flipField(
  { bytes }: Pick<ObservedFrame, "bytes">,
  { field, byte = 0, bit = 0 }: Partial<Parameters>,
): Action {
  const span = field === undefined ? wholeOf(bytes) : fieldOf(bytes, field);
  if (span === null || byte >= span.bytes) {
    return replace(`passed: it has no byte ${byte} of ${field ?? "its packet"}`, bytes);
  }
  const at = span.at + byte;
  return replace(`bit ${bit} of byte ${byte} of ${span.name} turned`, flipBit(bytes, at, bit));
}

function wholeOf(frame: Uint8Array): Span {
  return { name: "the packet", at: 0, bytes: frame.length - LENGTH_BYTES };
}

/** The place of a field in a frame; null where it has none. */
function fieldOf(frame: Uint8Array, field: Field): Span | null {
  if (field === "length") return { name: field, at: -LENGTH_BYTES, bytes: LENGTH_BYTES };
  const parts = spansOf(frame).filter(({ name }) => nameOf(name) === field);
  const [first] = parts;
  if (first === undefined) return null;
  return { name: field, at: first.at, bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** What a part of a packet is called here: one name for the IV of all suites, and one for all blocks of a ciphertext. */
function nameOf(part: string): string {
  if (part === "nonce") return "iv";
  return part.startsWith("ciphertext") ? "ciphertext" : part;
}
