import type { Attack, Case } from "../attack.ts";
import { drop, is, Watch } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { outcomeOf } from "../world/victim.ts";
import { answers } from "./support/lead.ts";
import { untilPlace } from "./support/place.ts";
import { Recorded } from "./support/recorded.ts";

export const replayHello: Attack = {
  id: "replay-hello",
  claim: "replay",
  title: "A HELLO once more",
  adversary: "A man in the middle who has seen a client's HELLO, and sends it again, bit for bit.",
  steps: [
    "In its own session, behind CHALLENGE.",
    "On a connection of his own, before the client has spoken: the server cannot know better yet, and answers.",
    "When the client speaks, or ends its session, he sends its DATA or TERMINATE there, and not where it belongs.",
    "On a connection of his own, when the client has been answered.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness: "In classic the keys of the client's packets come from its HELLO alone (PROTOCOL.md, 3.3 a).",
  async *run(stage) {
    yield await again(stage);
    yield await further(stage, "DATA");
    if (stage.suite.strict) yield await further(stage, "TERMINATE c2s");
    yield await late(stage);
  },
};

async function again(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm();
  await victim.connect(mitm);
  const hello = new Recorded(mitm.recording).packet("HELLO");
  const watch = mitm.watch("server");
  mitm.connection.inject("c2s", hello.bytes, "HELLO once more");
  return stage.refusal({
    name: "in its own session",
    did: "sent HELLO once more, behind CHALLENGE",
    recording: mitm.recording,
    connection: mitm.connection.id,
    reaction: await watch.ended(),
    due: ["UnexpectedOpcodeError"],
    expected: "fails",
  });
}

/** HELLO alone is not the end of it: what must not work is to get further with it. */
async function further(stage: Stage, place: "DATA" | "TERMINATE c2s"): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm({
    *program() {
      yield* untilPlace(place);
      yield drop;
    },
  });
  const session = await victim.connect(mitm);
  const { recording } = mitm;
  const attacker = await stage.attacker(recording);
  const greeting = new Watch(recording, attacker.id, "server");
  const hello = new Recorded(recording).packet("HELLO").bytes;
  attacker.send(hello, "the client's HELLO once more");
  const challenged = (await greeting.frames(1)).frames.some(is("CHALLENGE"));
  const speaking = mitm.watch("client");
  void outcomeOf<unknown>(place === "DATA" ? victim.say(session) : session.close());
  const [packet] = (await speaking.frames(1)).frames;
  if (packet === undefined) throw new Error(`no ${place} was seen`);
  const watch = new Watch(recording, attacker.id, "server");
  const { opcode } = packet.header ?? {};
  attacker.send(packet.bytes, `the ${opcode} of the client's own session`);
  const reaction = await watch.frames(1);
  // A TERMINATE is not answered, but it moves the epoch.
  const accepted = place !== "DATA" && !(await answers(stage, hello, recording));
  const refused = await stage.refusal({
    name: `before the client has spoken, ${opcode}`,
    did: `sent HELLO on a connection of his own, and behind CHALLENGE the ${opcode} that he kept from the client's session`,
    recording,
    connection: attacker.id,
    reaction,
    accepted,
    due: ["HmacError"],
  });
  // Where he got further, classic refuses the client as long as he is there.
  attacker.end("fin");
  await watch.ended();
  const answer = challenged ? "CHALLENGE came; then " : "no CHALLENGE came; then ";
  return { ...refused, happened: answer + refused.happened };
}

async function late(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm();
  await victim.say(await victim.connect(mitm));
  const { recording } = mitm;
  const attacker = await stage.attacker(recording);
  const watch = new Watch(recording, attacker.id, "server");
  attacker.send(new Recorded(recording).packet("HELLO").bytes, "HELLO once more");
  return stage.refusal({
    name: "when the client has been answered",
    did: "sent HELLO on a connection of his own",
    recording,
    connection: attacker.id,
    reaction: await watch.ended(),
    // Classic refuses a second connection of a client that is there, and nothing else.
    due: stage.suite.strict ? ["EpochError"] : ["IdentityError"],
    expected: "fails",
  });
}
