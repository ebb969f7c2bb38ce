import { createMemoryStore, type KeyStore } from "@pawl/server/keys";
import type { Attack, Case } from "../attack.ts";
import { Recording } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { Gate, keptOpen, withMethods } from "../world/stores.ts";
import { outcomeOf, Victim } from "../world/victim.ts";
import type { World } from "../world/world.ts";
import { type Campaign, campaignCase, Seeded } from "./support/campaign.ts";
import { eagerWorld } from "./support/private-world.ts";

const SEED = 11;

export const crashBetween: Attack = {
  id: "crash-between",
  claim: "lockout",
  title: "Client and server stopped around their commits, again and again",
  adversary: "Who cuts the power of a client, or of its server, at the worst moment, and replays old HELLOs.",
  steps: [
    "A client is stopped while it commits its next epoch: before that is durable, behind it, or so that nobody knows.",
    "A server is stopped while it commits a first packet: before that is durable, or behind it.",
    "After all of it the client connects once.",
  ],
  expected: { classic: "n/a", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server"],
  async *run(stage) {
    yield* await Promise.all([
      stopClient(stage, new Seeded(SEED), stage.full ? 1_000 : 60),
      stopServer(stage, new Seeded(SEED), stage.full ? 200 : 15),
    ]);
  },
};

async function stopClient(stage: Stage, random: Seeded, times: number): Promise<Case> {
  const world = await eagerWorld(stage);
  const victim = await world.victim();
  const mitm = await stage.mitm({ upstream: world.at });
  const { store } = victim;
  const stopped = withMethods(store, {
    commit: async (expected, next) => {
      const moment = random.next(3);
      if (moment === 0) throw new Error("the power was cut before it was written");
      const outcome = await store.commit(expected, next);
      if (moment === 1) throw new Error("the power was cut before it was known to be written");
      mitm.connection.cut("rst");
      return outcome;
    },
  });
  const { clientId, suite, prime } = victim;
  const unlucky = new Victim({ clientId, suite, prime, store: stopped });
  return campaignCase(stage, {
    name: "the client stops",
    did: "stopped the client around its commit, before, behind or in doubt",
    times,
    victim,
    recording: mitm.recording,
    world: () => world,
    attempt: async () => {
      const { value: session } = await outcomeOf(unlucky.connect(mitm));
      if (session !== null) await outcomeOf(unlucky.say(session));
    },
  });
}

async function stopServer(stage: Stage, random: Seeded, times: number): Promise<Case> {
  const keys = createMemoryStore();
  stage.defer(() => keys.close());
  const recording = new Recording();
  let world = await start(keptOpen(keys));
  const victim = await world.victim();
  return campaignCase(stage, {
    name: "the server stops",
    did: "stopped the server while it committed a first packet, before that was durable or behind it, and started it again",
    times,
    victim,
    recording,
    world: () => world,
    attempt: async () => {
      await world.close();
      const gate = new Gate();
      const isWritten = random.next(2) === 1;
      world = await start(stoppedAtCommit(keys, gate, isWritten));
      const mitm = await stage.mitm({ upstream: world.at, recording });
      const { value: session } = await outcomeOf(victim.connect(mitm));
      if (session === null) return;
      const answer = outcomeOf(victim.say(session));
      await gate.arrivals();
      mitm.connection.cut("rst");
      await answer;
      await world.close();
      // Nobody is there any more to be told; it is what lets go of the dead server's timers.
      gate.open();
      world = await start(keptOpen(keys));
    },
  } satisfies Campaign);

  function start(of: KeyStore): Promise<World> {
    return eagerWorld(stage, { keys: of });
  }
}

/** A server on this store never learns what became of a first packet's commit. Catch-ups are as always. */
function stoppedAtCommit(keys: KeyStore, gate: Gate, isWritten: boolean): KeyStore {
  return keptOpen(keys, {
    commit: async (change) => {
      if (change.accepted === null) return keys.commit(change);
      if (isWritten) await keys.commit(change);
      await gate.pass();
      throw new Error("the power was cut");
    },
  });
}
