import { flip, flipBit, type Span, spansOf } from "../../mitm/index.ts";
import type { Stage } from "../../stage.ts";
import { dueFor } from "./due.ts";
import type { Place } from "./place.ts";
import type { Strike } from "./strike.ts";

/** A bit of a packet, by the part that it lies in. `bit`: 0 … 7. */
export interface BitAt {
  readonly byte: number;
  readonly bit: number;
}

/** Turns one bit in a part of the packet at a place. */
export function bitOf(stage: Stage, place: Place, part: string, { byte, bit }: BitAt): Strike {
  return {
    place,
    group: `${place}, ${part}`,
    did: `turned bit ${bit} of byte ${byte} of its ${part}`,
    act: (frame) => {
      const span = spanOf(frame.bytes, part);
      const offset = span.at + (byte % span.bytes);
      const altered = flipBit(frame.bytes, offset, bit);
      return { actions: flip(frame, offset, bit), due: dueFor(altered, frame.bytes, place, stage.suite) };
    },
  };
}

export function everyBit(
  stage: Stage,
  place: Place,
  { name, bytes }: Pick<Span, "name" | "bytes">,
): Strike[] {
  return Array.from({ length: 8 * bytes }, (_, i) =>
    bitOf(stage, place, name, { byte: Math.floor(i / 8), bit: i % 8 }),
  );
}

/** An AGGREGATE may be shorter than the one whose parts were counted: its last block is meant then. */
function spanOf(frame: Uint8Array, part: string): Span {
  const spans = spansOf(frame);
  const found =
    spans.find(({ name }) => name === part) ?? spans.findLast(({ name }) => name.startsWith("ciphertext"));
  if (found === undefined) throw new Error(`a packet without ${part}`);
  return found;
}
