import type { Attack, Case } from "../attack.ts";
import { type Place, placesOf } from "./support/place.ts";
import { splice } from "./support/splice.ts";
import { inWaves } from "./support/waves.ts";

/** What classic takes from an older session: nothing of the other side is in the keys of a direction's first packet. */
const TAKEN_IN_CLASSIC: readonly Place[] = ["HELLO", "CHALLENGE"];

export const spliceSession: Attack = {
  id: "splice-session",
  claim: "splice",
  title: "A packet of an older session of the same client",
  adversary:
    "A man in the middle who has recorded a client's last session, and puts a packet of it into the next.",
  steps: [
    "A client connects, speaks, is answered, and goes.",
    "It connects again. The attacker puts a packet of the session before in place of the same packet of this one.",
    "Each kind of packet, TERMINATE of either side among them: as it was, and with the header of the one that belongs there.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness:
    "In classic each session starts from the same keys, so HELLO and CHALLENGE fit any of them (PROTOCOL.md, 3.3 a).",
  async *run(stage) {
    const origin = "the client's session before";
    // A header of classic has nothing of its session.
    const disguises = stage.suite.strict ? [false, true] : [false];
    const all = placesOf(stage).flatMap((place) => disguises.map((disguised) => ({ place, disguised })));
    const waves = inWaves(stage, all, async ({ place, disguised }): Promise<Case> => {
      const victim = await stage.victim();
      const one = await splice(stage, { place, source: victim, victim, origin, disguised });
      const taken = !stage.suite.strict && TAKEN_IN_CLASSIC.includes(place);
      return { ...one, expected: taken ? "works" : "fails" };
    });
    for await (const wave of waves) yield* wave;
  },
};
