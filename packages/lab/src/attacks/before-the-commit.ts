import type { PawlConnection } from "@pawl/client";
import { createMemoryStore } from "@pawl/server/keys";
import type { Attack, Case } from "../attack.ts";
import { is } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { Gate, keptOpen, withMethods } from "../world/stores.ts";
import { outcomeOf, Victim } from "../world/victim.ts";
import type { World } from "../world/world.ts";
import { callOf, oneSession } from "./support/outcome.ts";
import { eagerWorld } from "./support/private-world.ts";

/** Who sends before its commit does so at once; this is how long he is looked at, milliseconds. */
const LOOK_MS = 100;

export const beforeTheCommit: Attack = {
  id: "before-the-commit",
  claim: "lockout",
  title: "What leaves before it is stored, and two who store at once",
  adversary: "Who slows down a disk, and cuts the power before it has written; or starts two of one client.",
  steps: [
    "A client's commit is held. It must send nothing; it is stopped there, and comes back with what it had stored.",
    "A server's commit is held. It must answer nothing; it is stopped there, and the client comes back.",
    "Two sessions of one credential, and two holders of one secret, commit at the same moment.",
  ],
  expected: { classic: "n/a", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server"],
  async *run(stage) {
    const world = await eagerWorld(stage);
    yield await clientHeld(stage, world);
    yield await serverHeld(stage);
    yield await twoSessions(stage, world);
    yield await twoHolders(stage);
  },
};

async function clientHeld(stage: Stage, world: World): Promise<Case> {
  const victim = await world.victim();
  const mitm = await stage.mitm({ upstream: world.at });
  const gate = new Gate();
  const store = withMethods(victim.store, {
    commit: async () => {
      await gate.pass();
      throw new Error("the power was cut before it was written");
    },
  });
  const { clientId, suite, prime } = victim;
  const held = new Victim({ clientId, suite, prime, store });
  // With a cover first it speaks by itself as soon as it may.
  const connecting = outcomeOf(held.connect(mitm, { coverFirst: true }));
  await gate.arrivals();
  await mitm.watch("client").frames(1, LOOK_MS);
  const sent = mitm.recording.frames({ direction: "c2s" }).filter((frame) => !is("HELLO")(frame)).length;
  mitm.connection.cut("rst");
  gate.open();
  await connecting;
  const contact = await callOf(oneSession(victim, world.at));
  return {
    name: "the client's commit is held",
    did: "held the client's commit, then stopped the client before it was written",
    happened: `it sent ${countOf(sent)} meanwhile; afterwards it ${contact.text}`,
    worked: sent > 0 || !contact.ok,
    refusedBy: null,
    due: null,
    recording: mitm.recording,
  };
}

async function serverHeld(stage: Stage): Promise<Case> {
  const keys = createMemoryStore();
  stage.defer(() => keys.close());
  const gate = new Gate();
  const held = keptOpen(keys, {
    commit: async () => {
      await gate.pass();
      throw new Error("the power was cut before it was written");
    },
  });
  const world = await eagerWorld(stage, { keys: held });
  const victim = await world.victim();
  const mitm = await stage.mitm({ upstream: world.at });
  const session = await victim.connect(mitm);
  const answer = callOf(victim.say(session));
  await gate.arrivals();
  await mitm.watch("server").frames(1, LOOK_MS);
  const sent = mitm.recording.frames({ direction: "s2c" }).filter((frame) => !is("CHALLENGE")(frame)).length;
  mitm.connection.cut("rst");
  await answer;
  const closing = world.close();
  gate.open();
  await closing;
  const next = await eagerWorld(stage, { keys: keptOpen(keys) });
  const contact = await callOf(oneSession(victim, next.at));
  return {
    name: "the server's commit is held",
    did: "held the server's commit of a first packet, then stopped the server before it was written",
    happened: `it sent ${countOf(sent)} meanwhile; started again, the client ${contact.text}`,
    worked: sent > 0 || !contact.ok,
    refusedBy: null,
    due: null,
    recording: mitm.recording,
  };
}

/** Of one credential, which is moved forward once. */
async function twoSessions(stage: Stage, world: World): Promise<Case> {
  const victim = await world.victim();
  const gate = new Gate();
  const { clientId, suite, prime, store } = victim;
  const together = withMethods(store, {
    commit: async (expected, next) => {
      await gate.pass();
      return store.commit(expected, next);
    },
  });
  const twice = new Victim({ clientId, suite, prime, store: together });
  const mitm = await stage.mitm({ upstream: world.at });
  const attempts = [outcomeOf(twice.connect(mitm)), outcomeOf(twice.connect(mitm))];
  await gate.arrivals(2);
  gate.open();
  const sessions = (await Promise.all(attempts)).flatMap(({ value }) => value ?? []);
  const answered = await answeredOf(twice, sessions);
  return {
    name: "two sessions of one credential",
    did: "had a client greet the server twice at one epoch, and let both commits go at once",
    happened: `${sessions.length} of the two went on, ${answered} was answered`,
    worked: sessions.length !== 1 || answered !== 1,
    refusedBy: null,
    due: null,
    recording: mitm.recording,
  };
}

/** Two copies of one secret, both with a valid first packet: the server's store decides, once. */
async function twoHolders(stage: Stage): Promise<Case> {
  const keys = createMemoryStore();
  stage.defer(() => keys.close());
  const gate = new Gate();
  const world = await eagerWorld(stage, {
    keys: keptOpen(keys, {
      commit: async (change) => {
        await gate.pass();
        return keys.commit(change);
      },
    }),
  });
  const victim = await world.victim();
  const other = await world.copyOf(victim);
  const mitm = await stage.mitm({ upstream: world.at });
  const sessions = await Promise.all([victim.connect(mitm), other.connect(mitm)]);
  const answers = answeredOf(victim, sessions);
  await gate.arrivals(2);
  gate.open();
  const answered = await answers;
  const { clientId } = victim;
  const event = await world.events.find("clone-detected", (detected) => detected.clientId === clientId);
  const aggregates = mitm.recording.frames({ direction: "s2c" }).filter(is("AGGREGATE")).length;
  return {
    name: "two holders of one secret",
    did: "had two holders of one secret send their first message at one epoch, and let both commits go at once",
    happened: `${answered} of the two was answered, the server sent ${aggregates} AGGREGATE${event === null ? "" : `; event ${event.type}`}`,
    worked: answered !== 1 || aggregates !== 1,
    refusedBy: event?.type ?? null,
    due: ["clone-detected"],
    recording: mitm.recording,
  };
}

async function answeredOf(victim: Victim, sessions: readonly PawlConnection[]): Promise<number> {
  const answers = await Promise.all(sessions.map((session) => callOf(victim.say(session))));
  return answers.filter(({ ok }) => ok).length;
}

function countOf(frames: number): string {
  return frames === 0 ? "nothing" : `${frames} packets`;
}
