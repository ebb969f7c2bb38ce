import type { Attack, Case } from "../attack.ts";
import { repeat, replace } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { outcomeOf } from "../world/victim.ts";
import { untilPlace } from "./support/place.ts";

export const replayAggregate: Attack = {
  id: "replay-aggregate",
  claim: "replay",
  title: "An AGGREGATE once more",
  adversary: "A man in the middle who has seen an AGGREGATE, and sends it to its client again, bit for bit.",
  steps: [
    "He lets the AGGREGATE of round 1 arrive twice, one right behind the other.",
    "In another session he puts the AGGREGATE of round 1 in place of that of round 2.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    yield await twiceInARow(stage);
    yield await inPlaceOfTheNext(stage);
  },
};

async function twiceInARow(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm({
    *program() {
      yield* untilPlace("AGGREGATE");
      yield repeat();
    },
  });
  const session = await victim.connect(mitm);
  const speaking = victim.say(session);
  // Its DATA is not what it does about the copy.
  await mitm.watch("client").frames(1);
  const watch = mitm.watch("client");
  await speaking;
  const reaction = await watch.ended();
  return stage.refusal({
    name: "at once",
    did: "let the AGGREGATE of round 1 arrive twice, one right behind the other",
    recording: mitm.recording,
    connection: mitm.connection.id,
    reaction,
    error: reaction.ended === null ? undefined : (await session.closed).error,
    due: ["UnexpectedOpcodeError"],
  });
}

async function inPlaceOfTheNext(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm({
    *program() {
      const first = yield* untilPlace("AGGREGATE");
      yield* untilPlace("AGGREGATE");
      yield replace("the AGGREGATE of round 1 in its place", first.bytes);
    },
  });
  const session = await victim.connect(mitm);
  await victim.say(session);
  const speaking = outcomeOf(victim.say(session));
  await mitm.watch("client").frames(1);
  const watch = mitm.watch("client");
  const answer = await speaking;
  return stage.refusal({
    name: "in place of the next",
    did: "put the AGGREGATE of round 1 in place of that of round 2",
    recording: mitm.recording,
    connection: mitm.connection.id,
    reaction: await watch.ended(),
    accepted: answer.error === null,
    error: answer.error,
    due: ["DesyncError"],
  });
}
