import type { Attack, Case } from "../attack.ts";
import { placesOf } from "./support/place.ts";
import { splice } from "./support/splice.ts";
import { inWaves } from "./support/waves.ts";

export const spliceClient: Attack = {
  id: "splice-client",
  claim: "splice",
  title: "A packet of another client",
  adversary:
    "A man in the middle who has recorded one client's session, and puts a packet of it into another's.",
  steps: [
    "One client connects, speaks, is answered, and goes.",
    "Another one connects, at the same epoch. The attacker puts a packet of the first in place of the same packet here.",
    "Each kind of packet, TERMINATE of either side among them: as it was, and with the header of the one that belongs there.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness: "In classic any recorded HELLO is answered, whoever brings it (PROTOCOL.md, 3.3 a).",
  needs: ["second-client"],
  async *run(stage) {
    const all = placesOf(stage).flatMap((place) => [false, true].map((disguised) => ({ place, disguised })));
    const waves = inWaves(stage, all, async ({ place, disguised }): Promise<Case> => {
      const [source, victim] = await stage.newVictims(2);
      if (source === undefined || victim === undefined) throw new Error("two clients are needed");
      const one = await splice(stage, {
        place,
        source,
        victim,
        origin: "another client's session",
        disguised,
      });
      const taken = !stage.suite.strict && place === "HELLO" && !disguised;
      return { ...one, expected: taken ? "works" : "fails" };
    });
    for await (const wave of waves) yield* wave;
  },
};
