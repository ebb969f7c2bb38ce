import type { Direction, Opcode } from "@pawl/protocol";
import { type ObservedFrame, type Program, type Side, until } from "../../mitm/index.ts";
import type { Stage } from "../../stage.ts";

/** A packet of a session by its place: each kind once, TERMINATE from either side. */
export const PLACES = ["HELLO", "CHALLENGE", "DATA", "AGGREGATE", "TERMINATE c2s", "TERMINATE s2c"] as const;
export type Place = (typeof PLACES)[number];

/** Those that there are here. */
export function placesOf({ suite, world }: Stage): readonly Place[] {
  return PLACES.filter((place) => {
    if (opcodeOf(place) === "TERMINATE" && !suite.strict) return false;
    // A server ends a session when a second one takes its place, and a credential file serves one session at a time.
    return place !== "TERMINATE s2c" || world !== null;
  });
}

export function opcodeOf(place: Place): Opcode {
  return place.split(" ")[0] as Opcode;
}

export function directionOf(place: Place): Direction {
  return place === "HELLO" || place === "DATA" || place === "TERMINATE c2s" ? "c2s" : "s2c";
}

/** Whose judgement it is that is put to the test. */
export function receiverOf(place: Place): Side {
  return directionOf(place) === "c2s" ? "server" : "client";
}

/** For programs: the frame at this place. */
export function at(place: Place): (frame: ObservedFrame) => boolean {
  return ({ header, direction }) => direction === directionOf(place) && header?.opcode === opcodeOf(place);
}

/** For programs: passes frames until the one of that number at a place, whose fate is still open. @param nth from 1 */
export function* untilPlace(place: Place, nth = 1): Program<ObservedFrame> {
  let frame = yield* until(at(place));
  for (let seen = 1; seen < nth; seen++) frame = yield* until(at(place));
  return frame;
}
