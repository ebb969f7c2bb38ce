import type { Attack } from "../attack.ts";
import { playClient, Recording } from "../mitm/index.ts";
import { recordSession } from "./support/recorded.ts";

export const replayClientSession: Attack = {
  id: "replay-client-session",
  claim: "session-replay",
  title: "A whole recorded client session, played to the server",
  adversary:
    "Who has recorded a session, and connects to the server in the client's place when that has gone.",
  steps: [
    "A client connects, speaks twice, and goes.",
    "The attacker connects, and sends the client's packets in their order, each after the server's answer.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness:
    "In classic nothing of the server's enters the keys of the client's direction (PROTOCOL.md, 3.3 a).",
  async *run(stage) {
    const victim = await stage.victim();
    const recorded = (await recordSession(stage, victim, 2)).c2s;
    const recording = new Recording();
    const attacker = await stage.attacker(recording);
    const reaction = await playClient(attacker, recorded);
    const counted = await stage.counted(victim);
    const answers = reaction.frames.filter(({ header }) => header?.opcode === "AGGREGATE").length;
    const refusedBy = await stage.refusedBy(recording, attacker.id);
    if (refusedBy !== null) recording.note(`the server: ${refusedBy}`, attacker.id);
    const times =
      counted === null ? "" : `; the client spoke ${victim.said} times and counted ${counted} times`;
    yield {
      name: "",
      did: `played all ${recorded.length} packets of the client again, on a connection of his own`,
      happened: `the server answered ${reaction.frames.length} of them, ${answers} with AGGREGATE${times}`,
      worked: answers > 0 || (counted !== null && counted > victim.said),
      refusedBy,
      due: stage.suite.strict ? ["EpochError"] : null,
      recording,
    };
  },
};
