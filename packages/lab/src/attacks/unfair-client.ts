import { setTimeout as sleep } from "node:timers/promises";
import type { PawlConnection } from "@pawl/client";
import { utf8 } from "@pawl/protocol";
import type { Attack, Case } from "../attack.ts";
import { hold, is, type Program, Recording, repeat, until } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { outcomeOf, type Victim } from "../world/victim.ts";
import type { World } from "../world/world.ts";
import { callOf } from "./support/outcome.ts";
import { OwnSession } from "./support/own-session.ts";
import { PATIENCE_MS, patientWorld } from "./support/private-world.ts";
import { median } from "./support/statistics.ts";

const HONEST = 3;
/** Live clients that hold up every round until its deadline. */
const STALLED = 2;
/** How long a session is given to end, milliseconds. */
const END_MS = 250;
/** Without a round for so long nobody is answered any more, milliseconds. */
const SILENCE_MS = 3_000;

export const unfairClient: Attack = {
  id: "unfair-client",
  claim: "counting",
  title: "A client that wants to count oftener, or to hold everybody up",
  adversary: "Who holds a credential of his own, and whatever he sends, sends by the keys; or sits between.",
  steps: [
    "He is live and says nothing, so that nobody's round is complete.",
    "He sends a message twice in one round, by copying its packet and by sealing two.",
    "He speaks in two sessions of one client in one round, and has an old session's message come late.",
    "He sends numbers at the limits, and beyond.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server"],
  async *run(stage) {
    const world = await patientWorld(stage, { honest: HONEST });
    yield await stalled(world);
    yield await copied(stage, world);
    yield await sealedTwice(stage, world);
    yield* hugeNumbers(stage);
    yield await inTwoSessions(stage, world);
    yield await late(stage, world);
  },
};

/** How often the honest clients saw it counted, and whether they saw anything that must not be. */
async function seen(world: World, { prime }: Victim): Promise<{ counted: number; wrong: readonly string[] }> {
  await world.honest.round();
  return { counted: world.ledger.counted(prime), wrong: world.honest.wrong };
}

async function copied(stage: Stage, world: World): Promise<Case> {
  const victim = await world.victim();
  const mitm = await stage.mitm({ upstream: world.at, program: twice });
  const session = await victim.connect(mitm);
  const watch = mitm.watch("server");
  const answer = await callOf(victim.say(session));
  await watch.ended(PATIENCE_MS);
  const { counted, wrong } = await seen(world, victim);
  return {
    name: "a packet, copied",
    did: "sent a client's first DATA, and a copy right behind it",
    happened: `the client ${answer.text}; it was counted ${times(counted)}`,
    worked: counted > 1 || wrong.length > 0,
    refusedBy: await stage.refusedBy(mitm.recording, mitm.connection.id, world),
    due: ["UnexpectedOpcodeError", "DesyncError"],
    recording: mitm.recording,
  };
}

function* twice(): Program {
  yield* until(is("DATA"));
  yield repeat();
}

async function sealedTwice(stage: Stage, world: World): Promise<Case> {
  const insider = await world.victim();
  const recording = new Recording();
  const session = await OwnSession.open(
    await stage.attacker(recording, { at: world.at }),
    recording,
    insider,
  );
  const watch = session.watch();
  const message = utf8(String(insider.prime));
  const both = [session.seal(message), session.seal(message)];
  for (const [index, frame] of both.entries()) session.send(frame, `DATA of round ${index + 1}`);
  const reaction = await watch.ended(PATIENCE_MS);
  const { counted, wrong } = await seen(world, insider);
  return {
    name: "two messages at once",
    did: "sealed DATA of rounds 1 and 2, and sent both before he was answered",
    happened: `the server ${reaction.ended === null ? "did not close" : "closed"}; he was counted ${times(counted)}`,
    worked: counted > 1 || wrong.length > 0 || reaction.ended === null,
    refusedBy: await stage.refusedBy(recording, session.connection.id, world),
    due: ["UnexpectedOpcodeError"],
    recording,
  };
}

/** A message of the newer session takes the place of the older one's, where both are in one round. */
async function inTwoSessions(stage: Stage, world: World): Promise<Case> {
  const victim = await world.victim();
  const mitm = await stage.mitm({ upstream: world.at });
  const holdsUp = await world.victim();
  const idle = await holdsUp.connect(world.at);
  await holdsUp.say(idle);
  const older = await victim.connect(mitm);
  const first = callOf(victim.say(older));
  const { value: newer } = await outcomeOf(victim.connect(mitm));
  const second = newer === null ? null : await callOf(victim.say(newer));
  const { text } = await first;
  // Who is answered in the newer session is not in the older one.
  const both = second?.ok === true && (await callOf(victim.say(older))).ok;
  await idle.close();
  await victim.end(END_MS);
  const { counted, wrong } = await seen(world, victim);
  return {
    name: "two sessions in one round",
    did: "spoke in one session, and in a newer one of the same client before the first was answered",
    happened: `the first ${text}, the second ${second?.text ?? "was not let in"}${both ? ", and the first again" : ""}; ${wrong[0] ?? `counted ${times(counted)} in all, never twice in a round`}`,
    worked: counted > victim.said || wrong.length > 0 || both,
    refusedBy: null,
    due: null,
    recording: mitm.recording,
  };
}

/** A first DATA that comes when a newer session of its client has spoken. */
async function late(stage: Stage, world: World): Promise<Case> {
  const victim = await world.victim();
  const holding = await stage.mitm({ upstream: world.at, program: holdData });
  const older = await victim.connect(holding);
  const first = callOf(victim.say(older));
  const newer = await victim.connect(world.at);
  await victim.say(newer);
  await newer.close();
  const { connection } = holding;
  const watch = holding.watch("server");
  connection.release("c2s");
  const { frames } = await watch.frames(1, PATIENCE_MS);
  const { text } = await first;
  await victim.end(END_MS);
  const { counted } = await seen(world, victim);
  const answer = frames.map(({ header }) => header?.opcode).join(", ");
  return {
    name: "an old session's message, late",
    did: "held a session's first DATA until a newer session of its client had spoken, then let it go",
    happened: `the server sent ${answer === "" ? "nothing" : answer}, its client ${text}; it was counted ${times(counted)}`,
    worked: counted > 1,
    // Classic knows no newer and no older session (PROTOCOL.md, 4.6).
    expected: stage.suite.strict ? "fails" : "works",
    refusedBy: null,
    due: null,
    recording: holding.recording,
  };
}

function* holdData(): Program {
  yield* until(is("DATA"));
  yield hold;
}

/** What one client sends changes nothing but its own factor. */
async function* hugeNumbers(stage: Stage): AsyncGenerator<Case, void> {
  const world = await patientWorld(stage);
  const [honest, insider] = [await world.victim(), await world.victim()];
  const [ours, his] = [await honest.connect(world.at), await insider.connect(world.at)];
  // A round waits for those who are live, and they are with their first message.
  await Promise.all([honest.say(ours), insider.say(his)]);
  const nines = (digits: number) => "9".repeat(digits);
  const sent: readonly { readonly name: string; readonly text: string; readonly value: bigint }[] = [
    { name: "1,000 digits", text: nines(1_000), value: BigInt(nines(1_000)) },
    { name: "1,001 digits", text: nines(1_001), value: 1_001n },
    { name: "an exponent of 1,000", text: "1e1000", value: 10n ** 1_000n },
    { name: "an exponent of 1,001", text: "1e1001", value: 6n },
  ];
  for (const { name, text, value } of sent) {
    const [told] = await Promise.all([honest.say(ours), outcomeOf(his.send(text))]);
    const due = value * BigInt(honest.prime);
    const isRight = told.value === String(honest.prime) && told.aggregate === String(due);
    yield {
      name,
      did: `sent a number of ${name}, together with an honest client`,
      happened: isRight
        ? "the honest client was told the exact product"
        : "the honest client was told another",
      worked: !isRight,
      refusedBy: null,
      due: null,
      recording: null,
    };
  }
}

async function stalled(world: World): Promise<Case> {
  world.honest.report();
  await world.honest.round();
  const before = world.honest.report();
  const sessions: PawlConnection[] = [];
  for (let n = 0; n < STALLED; n++) {
    const victim = await world.victim();
    const session = await victim.connect(world.at);
    await outcomeOf(victim.say(session));
    sessions.push(session);
  }
  const letIn = world.honest.report();
  const goesOn = world.honest.round().then(() => true);
  const wentOn = await Promise.race([goesOn, sleep(SILENCE_MS, false, { ref: false })]);
  const during = world.honest.report();
  for (const session of sessions) await session.close();
  const rounds = during.rounds - letIn.rounds;
  const [msBefore, msDuring] = [median(before.latencies), median(during.latencies)];
  return {
    name: "live, and silent",
    did: `had ${STALLED} live clients say nothing more`,
    happened: !wentOn
      ? `no honest round was closed within ${SILENCE_MS} ms`
      : `honest rounds went on, at their deadline: ${msDuring.toFixed(0)} ms each, ${msBefore.toFixed(0)} ms before`,
    worked: !wentOn || during.wrong.length > 0,
    refusedBy: null,
    due: null,
    figures: { rounds, msBefore, msDuring },
    recording: null,
  };
}

function times(n: number): string {
  return n === 1 ? "once" : `${n} times`;
}
