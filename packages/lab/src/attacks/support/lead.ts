import { type Actions, type ObservedFrame, type Reaction, type Recording, Watch } from "../../mitm/index.ts";
import type { Mitm, Stage } from "../../stage.ts";
import { outcomeOf, type Victim } from "../../world/victim.ts";
import { at, type Place, receiverOf, untilPlace } from "./place.ts";

/** What came of a session whose packet at one place was met by the attacker. */
export interface Led {
  readonly recording: Recording;
  readonly connection: number;
  /** What the receiver was seen to do from then on. */
  readonly reaction: Reaction;
  /** It took what it was given, as its own caller or a later try shows. */
  readonly accepted: boolean;
  /** What a client's caller got instead; undefined where the receiver is the server. */
  readonly error: unknown;
}

/**
 * Leads a client through a man in the middle as far as one place, lets `act` decide on the packet there, and looks at who
 * was to receive it.
 */
export async function lead(
  stage: Stage,
  victim: Victim,
  place: Place,
  act: (frame: ObservedFrame, recording: Recording) => Actions,
): Promise<Led> {
  const side = receiverOf(place);
  const before = await countOf(stage, victim, place);
  let watch: Watch | null = null;
  const mitm = await stage.mitm({
    *program({ id, recording }) {
      const frame = yield* untilPlace(place);
      watch = new Watch(recording, id, side);
      yield act(frame, recording);
    },
  });
  try {
    const { accepted, error } = await play(stage, victim, place, mitm);
    if (watch === null) throw new Error(`no ${place} was seen`);
    // Who took it need not be waited for.
    const reaction = accepted === true ? (watch as Watch).now : await (watch as Watch).frames(1);
    const { recording, connection } = mitm;
    const taken =
      accepted ?? ((await countOf(stage, victim, place)) > before || (await isOver(stage, place, recording)));
    return { recording, connection: connection.id, reaction, accepted: taken, error };
  } finally {
    await mitm.close();
  }
}

/** @returns accepted: null where the client's caller cannot tell */
async function play(
  stage: Stage,
  victim: Victim,
  place: Place,
  mitm: Mitm,
): Promise<{ accepted: boolean | null; error: unknown }> {
  const greeting = await outcomeOf(victim.connect(mitm));
  if (place === "HELLO") return { accepted: null, error: undefined };
  if (place === "CHALLENGE") return ofClient(greeting.error);
  if (greeting.value === null) throw greeting.error;
  const session = greeting.value;
  if (place === "TERMINATE c2s") {
    await session.close();
    return { accepted: null, error: undefined };
  }
  const answer = await outcomeOf(victim.say(session));
  if (place === "DATA") return { accepted: null, error: undefined };
  if (place === "AGGREGATE") return ofClient(answer.error);
  if (answer.value === null) throw answer.error;
  await supersede(stage, victim);
  return ofClient((await session.closed).error);
}

/** Makes the server end a client's session: a second one, which comes and goes, takes its place. */
export async function supersede(stage: Stage, victim: Victim): Promise<void> {
  const second = await victim.connect(stage.at);
  await victim.say(second);
  await second.close();
}

/** `null` in place of an error: it was content. */
function ofClient(error: unknown): { accepted: boolean; error: unknown } {
  return { accepted: error === null, error: error ?? undefined };
}

/** How often a client whose DATA is at stake has been counted: nobody else of the lab's clients gives its message. */
async function countOf(stage: Stage, victim: Victim, place: Place): Promise<number> {
  return place === "DATA" && victim.said > 0 ? ((await stage.counted(victim)) ?? 0) : 0;
}

/** Whether the server took a TERMINATE, which it does not answer. */
async function isOver(stage: Stage, place: Place, recording: Recording): Promise<boolean> {
  if (place !== "TERMINATE c2s") return false;
  const hello = recording.frames().find(at("HELLO"));
  if (hello === undefined) throw new Error("no HELLO was seen");
  return !(await answers(stage, hello.bytes, recording));
}

/**
 * Whether the server still answers a HELLO. It does as long as no first packet was accepted at that epoch, since by that
 * the epoch moves (PROTOCOL.md, 4.5.3).
 */
export async function answers(stage: Stage, hello: Uint8Array, recording: Recording): Promise<boolean> {
  const attacker = await stage.attacker(recording);
  const watch = new Watch(recording, attacker.id, "server");
  attacker.send(hello, "the HELLO of this session once more, to see whether its epoch has moved");
  const { frames } = await watch.frames(1);
  attacker.destroy();
  return frames.length > 0;
}
