import {
  concat,
  copyOf,
  HEADER_BYTES,
  LENGTH_BYTES,
  MAX_FIRST_MESSAGE,
  MAX_HANDSHAKE_PACKET,
  MIN_PACKET,
  packetLimit,
  type Suite,
} from "@pawl/protocol";
import type { Attack } from "../attack.ts";
import { replace, withLength } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { dueFor } from "./support/due.ts";
import { type Place, placesOf } from "./support/place.ts";
import { type Strike, strikeAll } from "./support/strike.ts";

export const tamperLength: Attack = {
  id: "tamper-length",
  claim: "integrity",
  title: "A packet cut or lengthened, and lengths that lie",
  adversary:
    "A man in the middle who changes what a frame says of its length, or takes bytes from its packet or adds some.",
  steps: [
    "A client opens a session, speaks, and ends it, as far as the packet that is meant.",
    "The attacker passes it on with another length in front, which its receiver has to check at once (PROTOCOL.md, 1.2).",
    "Or he takes bytes from its end or adds some, and makes the length right; more of both in the full run.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    yield* strikeAll(
      stage,
      placesOf(stage).flatMap((place) => [
        ...choice(stage, lies(place, stage.suite), 2),
        ...choice(stage, cuts(place, stage.suite), 4),
      ]),
    );
  },
};

/** All in the full run, the first of them in every run. */
function choice(stage: Stage, strikes: readonly Strike[], count: number): readonly Strike[] {
  return stage.full ? strikes : strikes.slice(0, count);
}

/** Lengths that no receiver takes there: it must not wait for the bytes. */
function lies(place: Place, suite: Suite): Strike[] {
  const most = limitOf(place, suite);
  const lengths = [MIN_PACKET - 1, ...(most === null ? [] : [most + 1]), 0xffff_ffff, 0, 0x7fff_ffff];
  return lengths.map((length) => ({
    place,
    group: `${place}, a length that cannot be`,
    did: `said that ${length} bytes follow`,
    act: ({ bytes }) => ({
      actions: replace(`the length changed to ${length}`, withLength(bytes, length)),
      due: ["FrameError"],
    }),
  }));
}

/** PROTOCOL.md, 1.2; null where it depends on what the server was told. */
function limitOf(place: Place, suite: Suite): number | null {
  if (place === "HELLO" || place === "CHALLENGE") return MAX_HANDSHAKE_PACKET;
  return place === "DATA" || place === "TERMINATE c2s" ? packetLimit(suite, MAX_FIRST_MESSAGE) : null;
}

function cuts(place: Place, suite: Suite): Strike[] {
  const strike = (what: string, change: (packet: Uint8Array) => Uint8Array, behind = 0): Strike => ({
    place,
    group: `${place}, cut or lengthened`,
    did: what,
    act: ({ bytes }) => {
      const packet = change(copyOf(bytes, LENGTH_BYTES));
      const frame = withLength(concat(copyOf(bytes, 0, LENGTH_BYTES), packet), packet.length - behind);
      const whole = frame.subarray(0, frame.length - behind);
      const due = packet.length - behind < MIN_PACKET ? ["FrameError"] : dueFor(whole, bytes, place, suite);
      return { actions: replace(what, frame), due };
    },
  });
  const less = (bytes: number) => (packet: Uint8Array) => copyOf(packet, 0, packet.length - bytes);
  const more = (bytes: number) => (packet: Uint8Array) => concat(packet, new Uint8Array(bytes));
  return [
    strike("took the last byte away", less(1)),
    strike("left nothing but the header", (packet) => copyOf(packet, 0, HEADER_BYTES)),
    strike("added 16 bytes", more(16)),
    strike("made the length one less than what comes", (packet) => packet, 1),
    strike("took the last 16 bytes away", less(16)),
    strike("left no more than the shortest packet has", (packet) => copyOf(packet, 0, MIN_PACKET)),
    strike("added a byte", more(1)),
    strike("made the length 16 less than what comes", (packet) => packet, 16),
  ];
}
