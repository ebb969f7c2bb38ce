import { utf8 } from "@pawl/protocol";
import type { Attack, Case } from "../attack.ts";
import { type Reaction, Recording, Watch } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import type { World } from "../world/world.ts";
import { type Bad, badHellos, badPackets, type HelloParts } from "./support/bad-packets.ts";
import { oneSession } from "./support/outcome.ts";
import { OwnSession, sealHello } from "./support/own-session.ts";
import { eagerWorld, PATIENCE_MS } from "./support/private-world.ts";
import { inWaves } from "./support/waves.ts";

export const sameSilence: Attack = {
  id: "same-silence",
  claim: "silence",
  title: "Everything that can be wrong with a packet, and what comes back",
  adversary:
    "Who sends what he likes and, within a session, by keys that he has; and looks for any difference.",
  steps: [
    "He sends HELLOs, each wrong in one way, on connections of his own.",
    "He sends packets, each wrong in one way, in live sessions whose keys he has.",
    "He compares what came back: bytes, and the way in which the connection was closed.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server"],
  async *run(stage) {
    const world = await eagerWorld(stage);
    const reactions: Reaction[] = [];
    yield* beforeHandshake(stage, world, reactions);
    yield* inSession(stage, world, reactions);
    const kinds = new Set(reactions.map(({ bytes, ended }) => `${bytes} bytes, ${ended ?? "not closed"}`));
    yield {
      name: "all compared",
      did: `compared the server's reactions to ${reactions.length} kinds of violation`,
      happened: `all that was seen: ${[...kinds].join("; ")}`,
      worked: kinds.size > 1,
      refusedBy: null,
      due: null,
      figures: { violations: reactions.length, reactions: kinds.size },
      recording: null,
    };
  },
};

async function* beforeHandshake(
  stage: Stage,
  world: World,
  reactions: Reaction[],
): AsyncGenerator<Case, void> {
  const [known, revoked] = [await world.victim(), await world.victim()];
  await world.keys.revoke(revoked.clientId, "to be tried");
  await oneSession(known, world.at);
  const credential = await known.store.load();
  const parts = {
    hello: sealHello(credential).hello,
    unknown: world.unknownId(),
    revoked: revoked.clientId,
    sealed: (message: Uint8Array) => sealHello(credential, message).hello,
  };
  const send = async ({ name, due, make }: Bad<HelloParts>): Promise<Case> => {
    const recording = new Recording();
    const attacker = await stage.attacker(recording, { at: world.at });
    const watch = new Watch(recording, attacker.id, "server");
    attacker.send(make(parts), `HELLO: ${name}`);
    const reaction = await watch.ended(PATIENCE_MS);
    reactions.push(reaction);
    return stage.refusal({
      name: `HELLO: ${name}`,
      did: `sent a HELLO that is wrong in one thing: ${name}`,
      recording,
      connection: attacker.id,
      reaction,
      due: [due],
      world,
    });
  };
  for await (const cases of inWaves(stage, badHellos(stage.suite), send)) yield* cases;
}

async function* inSession(stage: Stage, world: World, reactions: Reaction[]): AsyncGenerator<Case, void> {
  const send = async ({ name, due, make }: Bad<OwnSession>): Promise<Case> => {
    const recording = new Recording();
    const client = await world.victim();
    const session = await OwnSession.open(
      await stage.attacker(recording, { at: world.at }),
      recording,
      client,
    );
    const answer = session.watch();
    session.send(session.seal(utf8("1")), "DATA of round 1");
    await answer.frames(1, PATIENCE_MS);
    const watch = session.watch();
    session.send(make(session), `DATA: ${name}`);
    const reaction = await watch.ended(PATIENCE_MS);
    reactions.push(reaction);
    return stage.refusal({
      name: `DATA: ${name}`,
      did: `sent, in round 2 of a live session, a packet that is wrong in one thing: ${name}`,
      recording,
      connection: session.connection.id,
      reaction,
      due: [due],
      world,
    });
  };
  for await (const cases of inWaves(stage, badPackets(stage.suite), send)) yield* cases;
}
