import type { Attack, Case } from "../attack.ts";
import { cut, replace } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { outcomeOf } from "../world/victim.ts";
import { lead } from "./support/lead.ts";
import { untilPlace } from "./support/place.ts";
import { Recorded, recordSession } from "./support/recorded.ts";

export const replayChallenge: Attack = {
  id: "replay-challenge",
  claim: "replay",
  title: "A CHALLENGE once more",
  adversary: "A man in the middle who has seen a CHALLENGE, and sends it to the client again, bit for bit.",
  steps: [
    "In its own session, when the client has taken it.",
    "In place of the CHALLENGE of the client's next session.",
    "In place of the next CHALLENGE, when he has kept it from the client, and cut the connection, and that tries again at the same epoch.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness: "In classic nothing in CHALLENGE says which HELLO it answers (PROTOCOL.md, 3.3 a).",
  async *run(stage) {
    yield await again(stage);
    yield await toLaterHello(stage);
    yield await toSameEpoch(stage);
  },
};

async function again(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm();
  const session = await victim.connect(mitm);
  const { recording, connection } = mitm;
  const watch = mitm.watch("client");
  connection.inject("s2c", new Recorded(recording).packet("CHALLENGE").bytes, "CHALLENGE once more");
  const reaction = await watch.ended();
  return stage.refusal({
    name: "in its own session",
    did: "sent CHALLENGE once more",
    recording,
    connection: connection.id,
    reaction,
    error: reaction.ended === null ? undefined : (await session.closed).error,
    due: ["UnexpectedOpcodeError"],
    expected: "fails",
  });
}

async function toLaterHello(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const old = (await recordSession(stage, victim)).packet("CHALLENGE");
  return stage.refusal({
    name: "to a later HELLO",
    did: "put the CHALLENGE of the session before in place of the next session's",
    due: ["EpochError"],
    ...(await lead(stage, victim, "CHALLENGE", () => replace("the CHALLENGE of before", old.bytes))),
  });
}

/** The epoch has not moved, so that the keys of the old CHALLENGE are those of the new one. */
async function toSameEpoch(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm({
    *program() {
      yield* untilPlace("CHALLENGE");
      yield cut("rst");
    },
  });
  await outcomeOf(victim.connect(mitm));
  const old = new Recorded(mitm.recording).packet("CHALLENGE");
  return stage.refusal({
    name: "to a later HELLO at the same epoch",
    did: "kept a CHALLENGE from the client, cut the connection, and put it in place of the next",
    due: ["FreshnessError"],
    ...(await lead(stage, victim, "CHALLENGE", () => replace("the CHALLENGE that was kept back", old.bytes))),
  });
}
