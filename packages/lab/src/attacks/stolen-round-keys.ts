import type { Attack, Case } from "../attack.ts";
import type { ObservedFrame } from "../mitm/index.ts";
import { keysFrom, MemoryTap } from "./support/memory-tap.ts";
import { read } from "./support/reading.ts";

/** Rounds of the session, and the one whose keys are taken. */
const ROUNDS = 6;
const TAKEN = 4;

export const stolenRoundKeys: Attack = {
  id: "stolen-round-keys",
  claim: "forward-secrecy",
  title: "The keys of one round, tried on the whole session",
  adversary:
    "Who has recorded a session from its start, and looks into the client's memory in the midst of it, once.",
  steps: [
    `A client does ${ROUNDS} rounds. In round ${TAKEN} the attacker reads its keys of both directions.`,
    "He tries them, and all that follows from them, on every packet that he has recorded.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    const { suite } = stage;
    const victim = await stage.victim();
    const mitm = await stage.mitm();
    const tap = new MemoryTap();
    const session = await victim.connect(mitm, { crypto: tap.crypto });
    for (let round = 0; round < ROUNDS; round++) await victim.say(session);
    const [sent, received] = [tap.sealed[TAKEN], tap.opened[TAKEN]];
    if (sent === undefined || received === undefined) throw new Error("the client was not seen to use keys");
    const { recording } = mitm;
    const frames = recording.frames();
    const { messages } = read(frames, [keysFrom(suite, sent), keysFrom(suite, received)]);
    const isBefore = ({ header }: ObservedFrame) => (header?.round ?? 0) < TAKEN;
    const result = (
      name: string,
      part: readonly ObservedFrame[],
      worked: (opened: number) => boolean,
    ): Case => {
      const opened = part.filter((frame) => messages.get(frame) !== null).length;
      return {
        name,
        did: `tried the keys of round ${TAKEN} of ${ROUNDS}, and what follows from them, on ${part.length} packets`,
        happened: `${opened} of ${part.length} packets opened`,
        worked: worked(opened),
        refusedBy: null,
        due: null,
        figures: { opened, of: part.length },
        recording,
      };
    };
    yield result("what was said before", frames.filter(isBefore), (opened) => opened > 0);
    const later = frames.filter((frame) => !isBefore(frame));
    yield {
      ...result("what was said from then on", later, (opened) => opened === later.length),
      // No suite promises to heal: there is no fresh public-key secret (PROTOCOL.md, 4.6).
      expected: "works",
    };
  },
};
