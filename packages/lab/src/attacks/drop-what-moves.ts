import type { Direction, Opcode } from "@pawl/protocol";
import type { Attack, Case } from "../attack.ts";
import { cut, type ObservedFrame, type Program, pass, until } from "../mitm/index.ts";
import type { Mitm, Stage } from "../stage.ts";
import { outcomeOf, type Victim } from "../world/victim.ts";
import type { World } from "../world/world.ts";
import { campaignCase, Seeded } from "./support/campaign.ts";
import { eagerWorld } from "./support/private-world.ts";
import { inWaves } from "./support/waves.ts";

/** Rounds after which the server renews a session, so that it has a TERMINATE to be dropped. */
const ROUNDS = 2;
const SEED = 7;

/** Packets that move an epoch, or that follow upon its move. */
const TARGETS: readonly { readonly opcode: Opcode; readonly direction: Direction; readonly name: string }[] =
  [
    { opcode: "CHALLENGE", direction: "s2c", name: "CHALLENGE" },
    { opcode: "DATA", direction: "c2s", name: "the first DATA" },
    { opcode: "AGGREGATE", direction: "s2c", name: "the first AGGREGATE" },
    { opcode: "TERMINATE", direction: "s2c", name: "the server's TERMINATE" },
  ];

export const dropWhatMoves: Attack = {
  id: "drop-what-moves",
  claim: "lockout",
  title: "The packet that would move an epoch, dropped again and again",
  adversary:
    "A man in the middle who cuts a client's connections where he likes, and replays its old HELLOs.",
  steps: [
    "A client connects over and over. The attacker cuts it off each time at the same packet, then at random ones.",
    "After each attempt he sends one of its recorded HELLOs to the server.",
    "He goes away, and the client connects once.",
  ],
  expected: { classic: "n/a", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server"],
  async *run(stage) {
    const world = await eagerWorld(stage, { rotation: { maxSessionRounds: ROUNDS } });
    const times = stage.full ? 1_000 : 40;
    const random = new Seeded(SEED);
    const campaigns: Omit<Cut, "times">[] = TARGETS.map(({ opcode, direction, name }) => ({
      name,
      did: `cut the client off at ${name}`,
      at: () => (frame) => frame.header?.opcode === opcode && frame.direction === direction,
    }));
    campaigns.push({
      name: "packets at random",
      did: `cut the client off at packets chosen at random (seed ${SEED})`,
      at: () => {
        const index = 1 + random.next(8);
        return (frame) => frame.index === index;
      },
    });
    const work = (of: Omit<Cut, "times">) => campaign(stage, world, { ...of, times });
    for await (const cases of inWaves(stage, campaigns, work)) yield* cases;
  },
};

interface Cut {
  readonly name: string;
  readonly did: string;
  readonly times: number;
  /** Of each attempt: the frame at which it ends. */
  readonly at: () => (frame: ObservedFrame) => boolean;
}

async function campaign(stage: Stage, world: World, of: Cut): Promise<Case> {
  const victim = await world.victim();
  const mitm = await stage.mitm({ upstream: world.at, program: () => cutAt(of.at()) });
  return campaignCase(stage, {
    ...of,
    victim,
    recording: mitm.recording,
    world: () => world,
    attempt: () => speak(victim, mitm),
  });
}

function* cutAt(matches: (frame: ObservedFrame) => boolean): Program {
  yield* until(matches);
  yield cut("rst");
  for (;;) yield pass;
}

/** As many rounds as a session has, or as it is left. */
async function speak(victim: Victim, mitm: Mitm): Promise<void> {
  const { value: session } = await outcomeOf(victim.connect(mitm));
  if (session === null) return;
  for (let round = 0; round < ROUNDS; round++) await outcomeOf(victim.say(session));
  await session.closed;
}
