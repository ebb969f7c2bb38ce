import type { Attack, Case } from "../attack.ts";
import { hold, inject, pass, release, Watch } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { outcomeOf, Victim } from "../world/victim.ts";
import { answers, lead } from "./support/lead.ts";
import { untilPlace } from "./support/place.ts";
import { recordSession } from "./support/recorded.ts";
import { inWaves } from "./support/waves.ts";

/** Of a session that the server renews: at least two (`rotation.maxSessionRounds`). */
const ROUNDS = 2;

export const reorder: Attack = {
  id: "reorder",
  claim: "order",
  title: "Two packets the other way round",
  adversary:
    "A man in the middle who lets one packet overtake another. The lock-step of rounds leaves few that are on their way at once.",
  steps: [
    "A client ends its session while its DATA is on its way: TERMINATE overtakes DATA.",
    "A server renews a session behind an AGGREGATE: its TERMINATE overtakes that.",
    "A recorded DATA comes ahead of its HELLO, a recorded AGGREGATE ahead of CHALLENGE.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    const { strict } = stage.suite;
    const tries: (() => Promise<Case>)[] = [
      ...(strict ? [() => terminateAheadOfData(stage)] : []),
      ...(strict && stage.world !== null ? [() => terminateAheadOfAggregate(stage)] : []),
      () => dataAheadOfHello(stage),
      () => aggregateAheadOfChallenge(stage),
    ];
    for await (const wave of inWaves(stage, tries, (one) => one())) yield* wave;
  },
};

async function terminateAheadOfData(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await stage.mitm({
    *program() {
      yield* untilPlace("DATA");
      yield hold;
      yield [pass, release];
    },
  });
  const session = await victim.connect(mitm);
  const { recording, connection } = mitm;
  const watch = mitm.watch("server");
  const speaking = outcomeOf(victim.say(session));
  const sent = mitm.watch("client");
  await sent.frames(1);
  await session.close();
  await speaking;
  const reaction = await watch.ended();
  const [hello] = recording.frames();
  if (hello === undefined) throw new Error("no HELLO was seen");
  const counted = (await stage.counted(victim)) ?? 0;
  const moved = !(await answers(stage, hello.bytes, recording));
  return stage.refusal({
    name: "TERMINATE ahead of DATA",
    did: "let the client's TERMINATE overtake its DATA",
    recording,
    connection: connection.id,
    reaction,
    accepted: counted > 0 || moved,
    due: ["DesyncError"],
  });
}

async function terminateAheadOfAggregate(stage: Stage): Promise<Case> {
  const world = await stage.privateWorld({ server: { rotation: { maxSessionRounds: ROUNDS } } });
  const [enrolled] = await world.enrol(1);
  if (enrolled === undefined) throw new Error("no client could be enrolled");
  const victim = new Victim(enrolled);
  let watch: Watch | null = null;
  const mitm = await stage.mitm({
    upstream: world.at,
    *program({ recording }) {
      const last = yield* untilPlace("AGGREGATE", ROUNDS);
      watch = new Watch(recording, last.connection, "client");
      yield hold;
      yield [pass, release];
    },
  });
  const session = await victim.connect(mitm);
  for (let round = 1; round < ROUNDS; round++) await victim.say(session);
  const [answer, end] = await Promise.all([outcomeOf(victim.say(session)), session.closed]);
  if (watch === null) throw new Error("no AGGREGATE was seen");
  return stage.refusal({
    name: "TERMINATE ahead of AGGREGATE",
    did: "let the server's TERMINATE overtake the last AGGREGATE",
    recording: mitm.recording,
    connection: mitm.connection.id,
    reaction: await (watch as Watch).ended(),
    accepted: answer.error === null || end.error === null,
    error: end.error ?? undefined,
    due: ["DesyncError"],
  });
}

async function dataAheadOfHello(stage: Stage): Promise<Case> {
  const { recording, c2s } = await recordSession(stage, await stage.victim());
  const [hello, data] = c2s;
  if (hello === undefined || data === undefined) throw new Error("no DATA was seen");
  const attacker = await stage.attacker(recording);
  const watch = new Watch(recording, attacker.id, "server");
  attacker.send(data.bytes, "the recorded DATA");
  attacker.send(hello.bytes, "the recorded HELLO behind it");
  return stage.refusal({
    name: "DATA ahead of HELLO",
    did: "played a recorded DATA, and its HELLO behind it",
    recording,
    connection: attacker.id,
    reaction: await watch.ended(),
    due: ["UnexpectedOpcodeError"],
  });
}

async function aggregateAheadOfChallenge(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const aggregate = (await recordSession(stage, victim)).packet("AGGREGATE");
  return stage.refusal({
    name: "AGGREGATE ahead of CHALLENGE",
    did: "sent a recorded AGGREGATE, and CHALLENGE behind it",
    due: ["UnexpectedOpcodeError"],
    ...(await lead(stage, victim, "CHALLENGE", () => [
      inject("s2c", aggregate.bytes, "the recorded AGGREGATE"),
      pass,
    ])),
  });
}
