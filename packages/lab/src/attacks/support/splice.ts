import { concat, copyOf, HEADER_BYTES, LENGTH_BYTES } from "@pawl/protocol";
import type { Case } from "../../attack.ts";
import { type ObservedFrame, pass, replace } from "../../mitm/index.ts";
import type { Stage } from "../../stage.ts";
import type { Victim } from "../../world/victim.ts";
import { dueFor } from "./due.ts";
import { lead } from "./lead.ts";
import { at, type Place } from "./place.ts";
import { recordSession } from "./recorded.ts";

/** A packet that one session had at a place is put at the same place of another. */
export interface Splice {
  readonly place: Place;
  /** Whose session it comes from, and whose it goes to. */
  readonly source: Victim;
  readonly victim: Victim;
  /** Where it comes from, for the table. */
  readonly origin: string;
  /** It gets the header of the packet in whose place it goes. */
  readonly disguised: boolean;
}

export async function splice(
  stage: Stage,
  { place, source, victim, origin, disguised }: Splice,
): Promise<Case> {
  const packet = await packetOf(stage, source, place);
  let due: readonly string[] = [];
  const led = await lead(stage, victim, place, (original) => {
    const bytes = disguised ? withHeaderOf(original, packet) : packet.bytes;
    due = dueFor(bytes, original.bytes, place, stage.suite);
    return replace(`the one of ${origin}${disguised ? ", with this one's header" : ""}`, bytes);
  });
  return stage.refusal({
    name: `${place}${disguised ? ", with the header that is due" : ""}`,
    did: `put the ${place} of ${origin} in its place${disguised ? ", with the header of the one that belongs there" : ""}`,
    due,
    ...led,
  });
}

async function packetOf(stage: Stage, source: Victim, place: Place): Promise<ObservedFrame> {
  const { recording } =
    place === "TERMINATE s2c"
      ? await lead(stage, source, place, () => pass)
      : await recordSession(stage, source);
  const packet = recording.frames().find(at(place));
  if (packet === undefined) throw new Error(`no ${place} was seen`);
  return packet;
}

function withHeaderOf(original: ObservedFrame, { bytes }: ObservedFrame): Uint8Array {
  const body = LENGTH_BYTES + HEADER_BYTES;
  return concat(
    copyOf(bytes, 0, LENGTH_BYTES),
    copyOf(original.bytes, LENGTH_BYTES, body),
    copyOf(bytes, body),
  );
}
