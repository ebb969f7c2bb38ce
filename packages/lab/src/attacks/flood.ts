import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import {
  copyOf,
  DEFAULT_MAX_MESSAGE,
  MAX_HANDSHAKE_PACKET,
  RESTORED_WINDOW,
  u32,
  utf8,
} from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { defaultLimits, type PawlServerEventType } from "@pawl/server";
import type { Attack, Case } from "../attack.ts";
import { is, withHeader } from "../mitm/index.ts";
import { type Stage, UnfitStageError } from "../stage.ts";
import type { Victim } from "../world/victim.ts";
import type { World } from "../world/world.ts";
import { Flood, type FloodOptions, mayComeFrom } from "./support/flood.ts";
import { callOf, oneSession } from "./support/outcome.ts";
import { sealHello } from "./support/own-session.ts";
import { quantile } from "./support/statistics.ts";

const HONEST = 10;
const WIDTH = 200;
/** Where the nth flood comes from: each has the limits of an address of its own. */
const elsewhere = (n: number) => `127.0.0.${2 + n}`;
/** An honest round may take so many times what it took before, and so much more, milliseconds: the attacker shares the machine. */
const SLOWER = 20;
const SLACK_MS = 200;
/** How much longer a flood may take until it meets a limit, on a machine that is busy, milliseconds. */
const LONGER_MS = 2_000;
/** How often the server's half-open connections are looked at, milliseconds. */
const LOOK_MS = 10;

interface Kind {
  readonly name: string;
  readonly did: string;
  readonly says: FloodOptions["says"];
  /** What the server may say of it. */
  readonly due: readonly PawlServerEventType[];
  /** Who comes while it goes on; a new client unless given. */
  readonly comes?: Victim;
}

export const flood: Attack = {
  id: "flood",
  claim: "availability",
  title: "Connections that never prove themselves, as many as there can be",
  adversary: "Who holds no secret, has addresses other than the honest clients', and sends what he likes.",
  steps: [
    "Honest clients do rounds with a server that has its usual limits.",
    `The attacker keeps ${WIDTH} connections, of one kind after the other, and opens again what the server closes.`,
    "Meanwhile the honest rounds are timed, the server's half-open connections are watched, and a new client comes.",
  ],
  expected: { classic: "fails", strict: "fails", "strict-gcm": "fails" },
  needs: ["own-server", "quiet"],
  async *run(stage) {
    const limits = defaultLimits(DEFAULT_MAX_MESSAGE);
    const world = await stage.privateWorld({ honest: HONEST, server: { limits } });
    if (!(await mayComeFrom(elsewhere(0), world.at))) {
      throw new UnfitStageError(`needs ${elsewhere(0)}, beside 127.0.0.1, to come from`);
    }
    for (const [n, kind] of (await kindsOf(stage, world)).entries())
      yield await run(stage, world, kind, elsewhere(n));
  },
};

async function kindsOf(stage: Stage, world: World): Promise<Kind[]> {
  const victim = await world.victim();
  const credential = await victim.store.load();
  const { hello } = sealHello(credential);
  const mitm = await stage.mitm({ upstream: world.at });
  const other = await world.victim();
  await oneSession(other, mitm);
  const old = mitm.recording.frames().find(is("HELLO"))?.bytes ?? hello;
  const once = (bytes: () => Uint8Array) => (tick: number) => (tick === 0 ? bytes() : null);
  const full: readonly PawlServerEventType[] = ["half-open-evicted", "handshake-throttled"];
  const refused: readonly PawlServerEventType[] = ["violation", "handshake-throttled"];
  const kinds: Kind[] = [
    { name: "half-open", did: "opened connections, and said nothing", says: () => null, due: full },
    {
      name: "slow senders",
      did: "sent HELLOs byte by byte",
      says: (tick) => (tick < hello.length - 1 ? copyOf(hello, tick, tick + 1) : null),
      due: full,
    },
    {
      name: "frames that do not end",
      did: "announced frames of the greatest length, and sent all but one byte",
      says: once(
        () => new Uint8Array([...u32(MAX_HANDSHAKE_PACKET), ...systemRandom(MAX_HANDSHAKE_PACKET - 1)]),
      ),
      due: full,
    },
    {
      name: "garbage",
      did: "sent 4 KiB of random bytes",
      says: once(() => systemRandom(4_096)),
      due: refused,
    },
    {
      name: "lengths too long",
      did: "announced frames of 4 GiB",
      says: once(() => new Uint8Array([...u32(0xffff_ffff), ...utf8("and so on")])),
      due: refused,
    },
    {
      name: "replayed HELLOs",
      did: "replayed a client's HELLO, which is answered",
      says: once(() => hello),
      due: full,
      comes: victim,
    },
  ];
  if (!stage.suite.strict) return kinds;
  await restore(world, other.clientId);
  const epoch = (await world.keys.get(other.clientId))?.epoch ?? 0;
  const ahead = withHeader(old, { epoch: epoch + RESTORED_WINDOW });
  return [
    ...kinds,
    {
      name: "forged HELLOs far ahead",
      did: `sent forged HELLOs ${RESTORED_WINDOW} epochs ahead, of a client that was restored from a backup`,
      says: once(() => ahead),
      due: refused,
      comes: other,
    },
  ];
}

/** As a client is behind a restore: its window is a wide one. */
async function restore({ keys }: World, clientId: number): Promise<void> {
  for await (const exported of keys.exportClients()) {
    if (exported.clientId !== clientId) continue;
    await keys.remove(exported.clientId, "to be restored");
    await keys.importClients([exported]);
    return;
  }
}

async function run(
  stage: Stage,
  world: World,
  { name, did, says, due, comes }: Kind,
  localAddress: string,
): Promise<Case> {
  const ms = stage.full ? 6_000 : 200;
  const { server, honest, events } = world;
  const limits = defaultLimits(DEFAULT_MAX_MESSAGE);
  honest.report();
  await honest.round();
  const before = honest.report();
  const counted = new Map(due.map((type) => [type, events.all(type).length]));

  const attacker = new Flood({ at: world.at, localAddress, width: WIDTH, says });
  stage.defer(() => attacker.stop());
  const since = performance.now();
  attacker.start();
  let [peak, peakBytes] = [0, 0];
  const look = setInterval(() => {
    peak = Math.max(peak, server.halfOpen.count);
    peakBytes = Math.max(peakBytes, server.halfOpen.bytes);
  }, LOOK_MS);
  await sleep(ms / 2);
  const newcomer = await callOf(oneSession(comes ?? (await world.victim()), world.at));
  await sleep(ms / 2);
  const soFar = () =>
    due.map((type) => ({ type, count: events.all(type).length - (counted.get(type) ?? 0) }));
  const latest = performance.now() + LONGER_MS;
  while (soFar().every(({ count }) => count === 0) && performance.now() < latest) await sleep(LOOK_MS);
  await honest.round();
  const during = honest.report();
  clearInterval(look);
  await attacker.stop();
  const seconds = (performance.now() - since) / 1_000;

  const said = soFar();
  const [msBefore, msDuring] = [quantile(before.latencies, 0.5), quantile(during.latencies, 0.5)];
  const [p99Before, p99During] = [quantile(before.latencies, 0.99), quantile(during.latencies, 0.99)];
  const harmed = during.wrong.length > before.wrong.length;
  const slow = p99During > SLOWER * p99Before + SLACK_MS;
  // What it was sent on the others it has never looked at.
  const looked = said.find(({ type }) => type === "violation")?.count ?? 0;
  const isOver =
    // Beside the attacker's there may be those who come in meanwhile.
    peak > limits.halfOpenPerAddress + HONEST ||
    peakBytes > limits.halfOpenBytesPerAddress ||
    Math.max(attacker.answered, looked) > limits.handshakeBurst + limits.handshakesPerSecond * seconds + 1;
  const told = said.filter(({ count }) => count > 0).map(({ type, count }) => `${type} ${count}`);
  return {
    name,
    did: `${did}: ${attacker.opened} connections in all, of which ${attacker.answered} were answered`,
    happened:
      `honest rounds took ${msDuring.toFixed(1)} ms (${msBefore.toFixed(1)} before), p99 ${p99During.toFixed(0)} (${p99Before.toFixed(0)}); ` +
      `${comes === undefined ? "a new client" : "the client itself"} ${newcomer.text}; ${harmed ? during.wrong.at(-1) : "no session was harmed"}; ` +
      `at most ${peak} half-open, ${peakBytes} bytes; ${told.length === 0 ? "no event" : told.join(", ")}`,
    worked: harmed || slow || !newcomer.ok || isOver,
    refusedBy: said.find(({ count }) => count > 0)?.type ?? null,
    due,
    figures: {
      msBefore,
      msDuring,
      p99Before,
      p99During,
      connections: attacker.opened,
      answered: attacker.answered,
      closedByServer: attacker.closed,
      halfOpen: peak,
      halfOpenBytes: peakBytes,
    },
    recording: null,
  };
}
