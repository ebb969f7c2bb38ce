import {
  isPossibleLength,
  LENGTH_BYTES,
  OPCODES,
  readU32,
  SUITES,
  type Suite,
  suiteById,
} from "@pawl/protocol";
import { directionOf, opcodeOf, type Place, receiverOf } from "./place.ts";

/** How far ahead of its record a server takes a HELLO for that of a client which moved first (PROTOCOL.md, 4.5.2). */
const WINDOW = 64;
/** Ids up to here may be those of other clients that are enrolled in the lab. */
const MAYBE_ENROLLED = 1 << 20;

/**
 * The class that the order of checks (PROTOCOL.md, 1.3) makes due for a packet in place of another, read off the table
 * anew and not off the code that is under attack. Its frame's length is right and within the limits.
 * @param original what was due at this place
 * @param suite the victim's, and the only one that the server runs
 */
export function dueFor(
  altered: Uint8Array,
  original: Uint8Array,
  place: Place,
  suite: Suite,
): readonly string[] {
  const [packet, due] = [altered.subarray(LENGTH_BYTES), original.subarray(LENGTH_BYTES)];
  const byte = (at: number) => packet[at] ?? 0;
  const differs = (at: number, bytes = 1) =>
    packet.subarray(at, at + bytes).some((value, i) => value !== due[at + i]);

  const runs = receiverOf(place) === "server" ? [suite] : SUITES;
  const claimed = suiteById(byte(0));
  if (claimed === undefined || !runs.includes(claimed)) return ["FormatError"];
  if (!isPossibleLength(claimed, packet.length)) return ["FormatError"];
  if (!Object.values(OPCODES).some((opcode) => opcode === byte(1))) return ["FormatError"];
  if (byte(2) > 1 || byte(3) !== 0 || readU32(packet, 4) === 0) return ["FormatError"];
  if (byte(2) !== (directionOf(place) === "c2s" ? 0 : 1)) return ["DirectionError"];
  if (!possibleAt(place, suite).includes(byte(1))) return ["UnexpectedOpcodeError"];
  if (differs(4, 4)) {
    const known = place === "HELLO" && readU32(packet, 4) < MAYBE_ENROLLED;
    return known ? ["IdentityError", "EpochError", "HmacError"] : ["IdentityError"];
  }
  if (claimed !== suite) return ["SuiteError"];
  if (differs(8, 4)) {
    const ahead = readU32(packet, 8) - readU32(due, 8);
    // Its tag decides then.
    const possible = place === "HELLO" && suite.strict && ahead > 0 && ahead <= WINDOW;
    if (!possible) return ["EpochError"];
  }
  if (differs(12, 4)) return ["DesyncError"];
  return ["HmacError"];
}

/** Check 4: the opcodes that the receiver takes there. */
function possibleAt(place: Place, suite: Suite): readonly number[] {
  const own = OPCODES[opcodeOf(place)];
  const ends = suite.strict && place !== "HELLO" && place !== "CHALLENGE";
  // A session may begin with the one as with the other.
  if (place === "TERMINATE c2s") return [OPCODES.DATA, own];
  return ends ? [own, OPCODES.TERMINATE] : [own];
}
