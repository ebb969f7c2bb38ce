import type { Attack } from "../attack.ts";
import { errorName, outcomeOf } from "../world/victim.ts";
import { impostorThatPlays } from "./support/impostor.ts";
import { recordSession } from "./support/recorded.ts";

/** Another message than the victim's before, so that an answer to that one shows. */
const OTHER_MESSAGE = "1000003";

export const replayServerSession: Attack = {
  id: "replay-server-session",
  claim: "session-replay",
  title: "A whole recorded server side, played to its client",
  adversary: "Who has recorded a session, and stands in the server's place when the client comes again.",
  steps: [
    "A client connects, speaks, is answered, and goes.",
    "It connects again, to the attacker, who answers HELLO with the recorded CHALLENGE.",
    "It says something else now: he answers with the recorded AGGREGATE.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness:
    "In classic nothing of the client's enters the keys of the server's direction: the answer of before passes for that of now (PROTOCOL.md, 3.3 a).",
  async *run(stage) {
    const victim = await stage.victim();
    const { s2c } = await recordSession(stage, victim);
    const mitm = await impostorThatPlays(stage, s2c);
    const { recording } = mitm;
    const greeting = await outcomeOf(victim.connect(mitm));
    const answer = greeting.value === null ? null : await outcomeOf(greeting.value.send(OTHER_MESSAGE));
    const error = greeting.error ?? answer?.error ?? null;
    if (error !== null) recording.note(`the client: ${errorName(error)}`, mitm.connection.id);
    const told =
      answer?.value == null
        ? "and got no answer"
        : `and was told that it had said ${answer.value.value}, with an aggregate of before`;
    yield {
      name: "",
      did: `played the server's ${s2c.length} packets of the session before`,
      happened:
        greeting.value === null
          ? "the client refused the first of them and closed"
          : `the client took CHALLENGE, said ${OTHER_MESSAGE}, ${told}`,
      worked: greeting.error === null,
      refusedBy: error === null ? null : errorName(error),
      due: stage.suite.strict ? ["EpochError"] : null,
      recording,
    };
  },
};
