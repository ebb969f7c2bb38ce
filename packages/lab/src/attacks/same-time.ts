import { performance } from "node:perf_hooks";
import { HEADER_BYTES, LENGTH_BYTES, utf8 } from "@pawl/protocol";
import type { Attack, Case } from "../attack.ts";
import { AttackerConnection, flipBit, Recording, withHeader } from "../mitm/index.ts";
import type { Stage } from "../stage.ts";
import { Folder } from "../world/on-disk.ts";
import type { Victim } from "../world/victim.ts";
import type { World } from "../world/world.ts";
import { unpadded } from "./support/bad-packets.ts";
import { Seeded } from "./support/campaign.ts";
import { OwnSession, sealHello } from "./support/own-session.ts";
import { eagerWorld } from "./support/private-world.ts";
import { ascending, differenceOf, median } from "./support/statistics.ts";

/** Welch's t from which a difference is none of chance: twice what statisticians of side channels ask for. */
const BEYOND_CHANCE = 10;
/** Of the time that an answer takes anyway: what a network lets somebody see who repeats himself a few times. */
const VISIBLE = 0.15;
/** The same, of an oracle that takes but a few hundred tries for a byte of plaintext. */
const VISIBLE_PADDING = 0.08;
/** The same, of what only a holder of the keys can try: nobody learns by it what he has not. */
const VISIBLE_TO_HOLDER = 0.5;

/** Of each kind that a comparison takes. */
const LEAST = 40;
/** Bad packets that are answered before there is nothing more to measure. */
const ENOUGH = 5;
/** For a server that does not close, milliseconds. */
const GIVE_UP_MS = 1_000;

/** A packet on its way, and whether anything came back. */
interface Shot {
  readonly connection: AttackerConnection;
  readonly frame: Uint8Array;
}

interface Pair {
  readonly name: string;
  readonly did: string;
  readonly sides: readonly [string, string];
  readonly shots: readonly [() => Promise<Shot>, () => Promise<Shot>];
  /** From which share of the time on a difference counts; null: the header, which everybody sees, says as much. */
  readonly visible: number | null;
}

export const sameTime: Attack = {
  id: "same-time",
  claim: "silence",
  title: "How long it takes until the connection is closed",
  adversary: "Who is near to the server, has a good clock, and repeats himself as often as he likes.",
  steps: [
    "He sends two kinds of bad packets in turn, at random, each on a connection of its own.",
    "He measures from the packet until the server closes, and compares the two kinds.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server", "quiet"],
  async *run(stage) {
    const world = await eagerWorld(stage);
    const folder = await Folder.make();
    stage.defer(() => folder.remove());
    const onDisk = await eagerWorld(stage, { keys: await folder.openDatabase() });
    const pairs = [
      ...(await helloPairs(world, "memory")),
      ...(await helloPairs(onDisk, "SQLite")),
      ...(await packetPairs(stage, world)),
    ];
    for (const pair of pairs) yield await compare(stage, pair);
  },
};

const badTag = (frame: Uint8Array) => flipBit(frame, frame.length - LENGTH_BYTES - 1, 0);

/** Before the handshake: nobody has to hold a key. @param where the clients are kept */
async function helloPairs(world: World, where: string): Promise<Pair[]> {
  const [known, revoked] = [await world.victim(), await world.victim()];
  await world.keys.revoke(revoked.clientId, "to be tried");
  const credential = await known.store.load();
  const unknown = world.unknownId();
  const hello = (clientId: number) => async (): Promise<Shot> => ({
    connection: await AttackerConnection.open(new Recording(), world.at),
    frame: withHeader(badTag(sealHello(credential).hello), { clientId }),
  });
  return [
    {
      name: `who is enrolled, in ${where}`,
      did: "sent HELLOs with a wrong tag, of a client that there is and of one that there is not",
      sides: ["known", "unknown"],
      shots: [hello(known.clientId), hello(unknown)],
      visible: VISIBLE,
    },
    {
      name: `who is revoked, in ${where}`,
      did: "sent HELLOs with a wrong tag, of a client that is revoked and of one that there is not",
      sides: ["revoked", "unknown"],
      shots: [hello(revoked.clientId), hello(unknown)],
      visible: VISIBLE,
    },
  ];
}

/** Behind it: the first packet of a session whose keys the attacker has, so that he can be right in all but one thing. */
async function packetPairs({ suite }: Stage, world: World): Promise<Pair[]> {
  const client = await world.victim();
  const message = utf8("1");
  const first = (of: (session: OwnSession) => Uint8Array) => async (): Promise<Shot> => {
    const session = await openSession(world, client);
    return { connection: session.connection, frame: of(session) };
  };
  const wrongTag = first((session) => badTag(session.seal(message)));
  const wrongRound = first((session) => withHeader(session.seal(message), { round: 2 }));
  const inHeader: Pair = {
    name: "wrong tag, wrong round",
    did: "sent first packets with a wrong tag, and with a wrong round",
    sides: ["tag", "round"],
    shots: [wrongTag, wrongRound],
    visible: null,
  };
  if (suite.cipher === "gcm") return [inHeader];
  // In a packet of one block the IV is what the padding is turned by.
  const turned = (at: number) => first((session) => flipBit(session.seal(message), at, 7));
  return [
    inHeader,
    {
      name: "padding under a wrong tag",
      did: "turned a bit of the IV, in whose block the padding stays right, or goes wrong",
      sides: ["right", "wrong"],
      shots: [turned(HEADER_BYTES), turned(HEADER_BYTES + suite.ivBytes - 1)],
      visible: VISIBLE_PADDING,
    },
    {
      name: "padding under a right tag",
      did: "sent first packets with a wrong tag, and with a right one over a wrong padding",
      sides: ["tag", "padding"],
      shots: [wrongTag, first(unpadded)],
      visible: VISIBLE_TO_HOLDER,
    },
  ];
}

async function openSession(world: World, client: Victim): Promise<OwnSession> {
  const recording = new Recording();
  return OwnSession.open(await AttackerConnection.open(recording, world.at), recording, client);
}

async function compare(stage: Stage, { name, did, sides, shots, visible }: Pair): Promise<Case> {
  const [warmUp, most, withinMs] = stage.full ? [200, 4_000, 60_000] : [20, 120, 1_500];
  const until = performance.now() + withinMs;
  const random = new Seeded(most);
  const times: [number[], number[]] = [[], []];
  let answered = 0;
  for (let n = 0; n < 2 * (warmUp + most); n++) {
    stage.signal.throwIfAborted();
    // On a machine that has other things to do, fewer of them.
    if (performance.now() > until && n >= 2 * (warmUp + LEAST) && n % 2 === 0) break;
    // Both once in each two, in either order.
    const side = n % 2 === 0 ? (random.next(2) as 0 | 1) : times[0].length > times[1].length ? 1 : 0;
    const { us, bytes } = await fire(await shots[side]());
    times[side].push(us);
    if (bytes > 0 && ++answered === ENOUGH) break;
  }
  const [a, b] = [times[0].slice(warmUp), times[1].slice(warmUp)];
  const count = a.length;
  const { medians, t } = differenceOf(a, b);
  const [usA, usB] = [median(ascending(a)), median(ascending(b))];
  const apart =
    visible !== null && Math.abs(t) > BEYOND_CHANCE && Math.abs(medians) > visible * Math.min(usA, usB);
  const parts = [
    `closed after ${usA.toFixed(0)} µs (${sides[0]}) and ${usB.toFixed(0)} µs (${sides[1]}), t = ${t.toFixed(1)}`,
    ...(visible === null ? ["which it is can be seen in the header, so the time is not judged"] : []),
    ...(answered > 0 ? [`${answered} were answered`] : []),
  ];
  return {
    name,
    did: `${did}, ${count} times each`,
    happened: parts.join("; "),
    worked: answered > 0 || apart,
    refusedBy: null,
    due: null,
    figures: { n: count, usFirst: usA, usSecond: usB, differenceUs: medians, t },
    recording: null,
  };
}

/** Microseconds until the server has closed, and the bytes that came before. */
function fire({ connection: { socket }, frame }: Shot): Promise<{ us: number; bytes: number }> {
  return new Promise((resolve) => {
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    const since = performance.now();
    const done = () => {
      clearTimeout(timer);
      const us = 1_000 * (performance.now() - since);
      socket.destroy();
      resolve({ us, bytes });
    };
    const timer = setTimeout(done, GIVE_UP_MS);
    socket.once("end", done);
    socket.write(frame);
  });
}
