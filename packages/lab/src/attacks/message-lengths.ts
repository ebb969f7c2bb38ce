import { formatPadding, NO_PADDING, type PaddingPolicy, parsePadding } from "@pawl/protocol";
import type { Attack, Case } from "../attack.ts";
import { is } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import type { World } from "../world/world.ts";
import { Seeded } from "./support/campaign.ts";
import { patientWorld } from "./support/private-world.ts";
import { inWaves } from "./support/waves.ts";

/** What a client says, as the attacker would like to tell it apart. */
interface Kind {
  readonly name: string;
  /** A message of this kind; null: a cover. */
  message(random: Seeded): string | null;
}

const text = (name: string, least: number, spread: number): Kind => ({
  name,
  message: (random) => "x".repeat(least + random.next(spread)),
});
/** Of readings that have something to say: 66 to 73, 84 to 89, and 100 to 107 bytes, each within one block of CBC. */
const READINGS = [text("quiet", 66, 8), text("warm", 84, 6), text("alarm", 100, 8)];
/** Further apart than the classes of `pow2` are wide. */
const FAR_APART = [text("a number", 4, 4), text("a line", 40, 20), text("a page", 900, 100)];
const COVERS: readonly Kind[] = [{ name: "a cover", message: () => null }, text("a message", 32, 28)];

const BLOCK_256 = parsePadding("block:256");
const POW2 = parsePadding("pow2");

interface Seen {
  readonly length: number;
  readonly kind: Kind | undefined;
}

interface Trial {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly padding: PaddingPolicy;
  readonly expected: "fails" | "works";
}

/** Without padding, and beyond a policy's classes, lengths are not promised to be hidden (PROTOCOL.md, 4.6). */
const TRIALS: readonly Trial[] = [
  { name: "readings", kinds: READINGS, padding: NO_PADDING, expected: "works" },
  { name: "readings", kinds: READINGS, padding: BLOCK_256, expected: "fails" },
  { name: "readings", kinds: READINGS, padding: POW2, expected: "fails" },
  { name: "far apart", kinds: FAR_APART, padding: POW2, expected: "works" },
  { name: "cover traffic", kinds: COVERS, padding: NO_PADDING, expected: "works" },
  { name: "cover traffic", kinds: COVERS, padding: BLOCK_256, expected: "fails" },
];

export const messageLengths: Attack = {
  id: "message-lengths",
  claim: "lengths",
  title: "What a client says, guessed from the lengths of its packets",
  adversary: "Who sees the packets alone, and has a few of which he knows what was in them.",
  steps: [
    "A client says messages of several kinds, in a random order.",
    "The attacker learns from a few of each kind, and takes every other packet for the kind whose mean length is nearest.",
  ],
  expected: { classic: "works", strict: "fails", "strict-gcm": "fails" },
  weakness: "Classic has no padding: lengths leak, to 16 bytes (PROTOCOL.md, 3.3 e).",
  needs: ["own-server"],
  async *run(stage) {
    const world = await patientWorld(stage, { server: { onMessage: () => "" } });
    const trials = stage.suite.strict ? TRIALS : TRIALS.slice(0, 1);
    for await (const cases of inWaves(stage, trials, (trial) => guess(stage, world, trial))) yield* cases;
  },
};

async function guess(stage: Stage, world: World, { name, kinds, padding, expected }: Trial): Promise<Case> {
  const [learned, guessed] = stage.full ? [20, 500] : [5, 20];
  const victim = await world.victim();
  const mitm = await stage.mitm({ upstream: world.at });
  const session = await victim.connect(mitm, { padding });
  const random = new Seeded(kinds.length + guessed);
  const said: Kind[] = [];
  // As many of each, so that who always says the same is right in one of so many.
  for (let left = kinds.map(() => learned + guessed); left.some((n) => n > 0); ) {
    const at = random.pick([...left.keys()].filter((index) => (left[index] ?? 0) > 0));
    left = left.map((n, index) => (index === at ? n - 1 : n));
    const kind = kinds[at];
    if (kind === undefined) continue;
    said.push(kind);
    const message = kind.message(random);
    await (message === null ? session.cover() : session.request(message));
  }
  const packets = mitm.recording.frames({ direction: "c2s" }).filter(is("DATA"));
  const seen = packets.map(({ bytes }, index) => ({ length: bytes.length, kind: said[index] }));
  await session.close();

  const known: Seen[] = [];
  const unknown: Seen[] = [];
  for (const one of seen) {
    const isKnown = known.filter(({ kind }) => kind === one.kind).length < learned;
    (isKnown ? known : unknown).push(one);
  }
  const right = unknown.filter(({ length, kind }) => nearest(kinds, known, length) === kind).length;
  const accuracy = right / unknown.length;
  const chance = 1 / kinds.length;
  const lengths = [...new Set(seen.map(({ length }) => length))].sort((a, b) => a - b);
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const policy = formatPadding(padding);
  return {
    name: `${name}, padding ${policy}`,
    did: `told ${kinds.map((kind) => kind.name).join(", ")} apart by the length of DATA, ${unknown.length} times, having seen ${learned} of each`,
    happened: `he was right in ${percent(accuracy)}, by chance ${percent(chance)}; packets of ${lengthsOf(lengths)} bytes`,
    // Half of what there is to be had beyond chance.
    worked: accuracy > chance + (1 - chance) / 2,
    expected: stage.suite.strict ? expected : "works",
    refusedBy: null,
    due: null,
    figures: { accuracy, chance, guessed: unknown.length, lengths: lengths.length },
    recording: mitm.recording,
  };
}

/** The kind of which the known packets are nearest, by their mean. */
function nearest(kinds: readonly Kind[], known: readonly Seen[], length: number): Kind | undefined {
  const distance = (kind: Kind) => {
    const lengths = known.filter((one) => one.kind === kind).map((one) => one.length);
    return Math.abs(lengths.reduce((total, one) => total + one, 0) / lengths.length - length);
  };
  return kinds.reduce((best, kind) => (distance(kind) < distance(best) ? kind : best));
}

function lengthsOf(lengths: readonly number[]): string {
  return lengths.length <= 3 ? lengths.join(", ") : `${lengths[0]} to ${lengths.at(-1)}`;
}
