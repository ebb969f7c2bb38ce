import type { Attack, Case } from "../attack.ts";
import { is, repeat } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { outcomeOf } from "../world/victim.ts";
import { untilPlace } from "./support/place.ts";

export const replayData: Attack = {
  id: "replay-data",
  claim: "replay",
  title: "A DATA packet once more",
  adversary: "A man in the middle who sends a DATA packet of the session again, bit for bit.",
  steps: [
    "A client speaks, and the attacker lets its DATA arrive twice, one right behind the other.",
    "Another client speaks once, and is answered: the attacker sends its DATA of round 1 once more.",
    "A third one speaks three times, and is answered: he sends its DATA of round 1 once more.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    yield await twiceInARow(stage);
    yield await later(stage, 1);
    yield await later(stage, 3);
  },
};

async function twiceInARow(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm({
    *program() {
      yield* untilPlace("DATA");
      yield repeat();
    },
  });
  const session = await victim.connect(mitm);
  const watch = mitm.watch("server");
  // Answered or not: the copy may have ended the session before.
  await outcomeOf(victim.say(session));
  const { recording, connection } = mitm;
  const reaction = await watch.ended();
  const answers = reaction.frames.filter(is("AGGREGATE")).length;
  const counted = await stage.counted(victim);
  const counts = counted === null ? "" : `, counted ${counted}`;
  const refusedBy = await stage.refusedBy(recording, connection.id);
  return {
    name: "at once",
    did: "let the DATA of round 1 arrive twice, one right behind the other",
    happened: `the server answered ${answers} of them${counts}, and ${reaction.ended === null ? "went on" : "closed"}`,
    worked: answers > 1 || (counted ?? 0) > 1 || reaction.ended === null,
    refusedBy,
    // The first of them may have been answered by then.
    due: ["UnexpectedOpcodeError", "DesyncError"],
    recording,
  };
}

async function later(stage: Stage, rounds: number): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm();
  const session = await victim.connect(mitm);
  for (let round = 1; round <= rounds; round++) await victim.say(session);
  const { connection, recording } = mitm;
  const data = recording.frames({ direction: "c2s" }).find(is("DATA"));
  if (data === undefined) throw new Error("no DATA was seen");
  const watch = mitm.watch("server");
  connection.inject("c2s", data.bytes, "the DATA of round 1 once more");
  return stage.refusal({
    name: rounds === 1 ? "after its answer" : "two rounds later",
    did: `sent the DATA of round 1 once more, after ${rounds} ${rounds === 1 ? "round" : "rounds"}`,
    recording,
    connection: connection.id,
    reaction: await watch.ended(),
    due: ["DesyncError"],
  });
}
