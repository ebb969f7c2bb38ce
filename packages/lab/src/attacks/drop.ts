import type { Attack, Case } from "../attack.ts";
import { drop, is, Watch } from "../mitm/index.ts";
import type { Mitm, Stage } from "../stage.ts";
import { errorName, outcomeOf } from "../world/victim.ts";
import { supersede } from "./support/lead.ts";
import { at, type Place, untilPlace } from "./support/place.ts";
import { recordSession } from "./support/recorded.ts";
import { inWaves } from "./support/waves.ts";

/** How long a client waits for a CHALLENGE that does not come, milliseconds; on a busy machine more, until one is kept. */
const PATIENCE_MS = [400, 2_000, 5_000];

export const dropPackets: Attack = {
  id: "drop",
  claim: "order",
  title: "A packet left out",
  adversary:
    "A man in the middle who keeps one packet from its receiver, and lets what comes behind it pass.",
  steps: [
    "HELLO or CHALLENGE: nothing follows, and the client gives up.",
    "DATA, the first one or the second: the client gives up, and its TERMINATE follows.",
    "AGGREGATE: the server's TERMINATE follows, since a second session of the client takes the place of the first.",
    "In classic, which has no TERMINATE, he plays a recorded session without its first DATA.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  async *run(stage) {
    const { suite, world } = stage;
    const tries: (() => Promise<Case>)[] = [
      () => handshake(stage, "HELLO"),
      () => handshake(stage, "CHALLENGE"),
      () => data(stage, 1),
      () => data(stage, 2),
      () => (suite.strict && world !== null ? supersededAggregate(stage) : aggregate(stage)),
      ...(suite.strict ? [] : [() => recordedWithout(stage)]),
    ];
    for await (const wave of inWaves(stage, tries, (one) => one())) yield* wave;
  },
};

/** A man in the middle who keeps the packet of that number at a place. */
function without(stage: Stage, place: Place, nth = 1): Promise<Mitm> {
  return stage.mitm({
    *program() {
      yield* untilPlace(place, nth);
      yield drop;
    },
  });
}

/** Nobody is owed an error where nothing comes. */
async function handshake(stage: Stage, place: "HELLO" | "CHALLENGE"): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await without(stage, place);
  let error: unknown = null;
  for (const timeoutMs of PATIENCE_MS) {
    error = (await outcomeOf(victim.connect(mitm, { timeoutMs }))).error;
    if (mitm.recording.frames().some(at(place))) return gaveUp(place, mitm, error);
  }
  throw new Error(`no ${place} was seen: ${errorName(error)}`);
}

/** A client that has spoken, and whose AGGREGATE does not arrive. */
async function unanswered(stage: Stage) {
  const victim = await stage.victim();
  const mitm = await without(stage, "AGGREGATE");
  const session = await victim.connect(mitm);
  const answering = mitm.watch("server");
  const speaking = outcomeOf(victim.say(session));
  await answering.frames(1);
  return { victim, mitm, session, speaking };
}

async function aggregate(stage: Stage): Promise<Case> {
  const { mitm, session, speaking } = await unanswered(stage);
  await session.close();
  const { error } = await speaking;
  return gaveUp("AGGREGATE", mitm, error);
}

function gaveUp(place: Place, { recording, connection }: Mitm, error: unknown): Case {
  if (error !== null) recording.note(`the client: ${errorName(error)}`, connection.id);
  return {
    name: place,
    did: `kept ${place} from its receiver`,
    happened: error === null ? "the client was answered all the same" : "the client waited, and gave up",
    worked: error === null,
    refusedBy: error === null ? null : errorName(error),
    due: null,
    recording,
  };
}

/** The client's TERMINATE comes next, with the round behind the one that is due. */
async function data(stage: Stage, round: number): Promise<Case> {
  const victim = await stage.victim();
  const mitm = await without(stage, "DATA", round);
  const session = await victim.connect(mitm);
  for (let before = 1; before < round; before++) await victim.say(session);
  const watch = mitm.watch("server");
  const sending = mitm.watch("client");
  const speaking = outcomeOf(victim.say(session));
  await sending.frames(1);
  await session.close();
  const { error } = await speaking;
  const reaction = await watch.ended();
  const counted = (await stage.counted(victim)) ?? 0;
  return stage.refusal({
    name: `DATA ${round}`,
    did: `kept DATA ${round} from the server, and let the client end its session`,
    recording: mitm.recording,
    connection: mitm.connection.id,
    reaction,
    accepted: error === null || counted >= round,
    due: stage.suite.strict ? ["DesyncError"] : null,
  });
}

async function supersededAggregate(stage: Stage): Promise<Case> {
  const { victim, mitm, session, speaking } = await unanswered(stage);
  const watch = mitm.watch("client");
  await supersede(stage, victim);
  const [answer, end] = await Promise.all([speaking, session.closed]);
  return stage.refusal({
    name: "AGGREGATE",
    did: "kept AGGREGATE from the client, and let the server's TERMINATE pass",
    recording: mitm.recording,
    connection: mitm.connection.id,
    reaction: await watch.ended(),
    accepted: answer.error === null || end.error === null,
    error: end.error ?? undefined,
    due: ["DesyncError"],
  });
}

async function recordedWithout(stage: Stage): Promise<Case> {
  const victim = await stage.victim();
  const { recording, c2s } = await recordSession(stage, victim, 2);
  const [hello, , second] = c2s;
  if (hello === undefined || second === undefined) throw new Error("no second DATA was seen");
  const attacker = await stage.attacker(recording);
  const greeting = new Watch(recording, attacker.id, "server");
  attacker.send(hello.bytes, "the recorded HELLO");
  if (!(await greeting.frames(1)).frames.some(is("CHALLENGE"))) throw new Error("no CHALLENGE came");
  const watch = new Watch(recording, attacker.id, "server");
  attacker.send(second.bytes, "the recorded DATA 2");
  return stage.refusal({
    name: "a recorded session without DATA 1",
    did: "played a recorded HELLO, and DATA 2 behind it",
    recording,
    connection: attacker.id,
    reaction: await watch.ended(),
    due: ["DesyncError"],
  });
}
