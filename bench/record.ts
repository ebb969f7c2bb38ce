import { cpus } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Channel, measure, median } from "@pawl/bench";
import { STRICT, STRICT_GCM, type Suite } from "@pawl/protocol";
import { defaultCrypto, nodeCrypto } from "../packages/protocol/dist/index.js";
import { flagsOf } from "./command-line.ts";
import type { OpenChannel } from "./record/channel.ts";
import { plainChannel } from "./record/plain.ts";
import { productChannel } from "./record/product.ts";

/**
 * What it costs to seal a packet and to open it, without any socket: the product on each provider against the protocol
 * written plainly on node:crypto. All in turn in one run, so that a machine whose speed drifts is as unkind to one as to
 * another.
 */

const USAGE =
  "usage: npm run bench:record -- [--quick] [--json]\n\n--quick takes a few seconds; --json prints an array of results\n";
const options = flagsOf(USAGE, {
  json: { type: "boolean" },
  quick: { type: "boolean" },
  help: { type: "boolean" },
});

const TARGETS: Readonly<Record<string, OpenChannel>> = {
  plain: plainChannel,
  [`pawl-${nodeCrypto.name}`]: productChannel(nodeCrypto),
  ...(defaultCrypto() === nodeCrypto
    ? {}
    : { [`pawl-${defaultCrypto().name}`]: productChannel(defaultCrypto()) }),
};
const SUITES = [STRICT, STRICT_GCM];
const SIZES = [64, 1_024, 16_384];
const REPETITIONS = options.quick === true ? 2 : 5;
/** Of each of sealing and opening, a repetition. */
const PACKETS = options.quick === true ? 4_000 : 20_000;

const OPERATIONS = ["seal", "open", "seal+open"] as const;
type Operation = (typeof OPERATIONS)[number];

interface Result {
  readonly cell: string;
  readonly target: string;
  readonly unit: "µs";
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many times as fast as the plain version, by the medians of this run; null for itself. */
  readonly ratioPlain: number | null;
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const results = SUITES.flatMap((suite) => SIZES.flatMap((size) => compare(suite, size)));
if (options.json === true) process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
else process.stdout.write(tableOf(results));

/** All targets, on the same chain and message; each opens what the others sealed before anything is measured. */
function compare(suite: Suite, size: number): Result[] {
  const chain = new Uint8Array(32).fill(7);
  const message = new Uint8Array(size).fill(0xa5);
  const channels = Object.entries(TARGETS).map(([target, open]) => ({ target, channel: open(suite, chain) }));
  const sample = (channel: Channel, packets: number): Record<Operation, number> => {
    // Nobody pays for what another left behind.
    collectGarbage();
    const { seal, open } = measure(channel, message, (done) => done >= packets);
    return { seal, open, "seal+open": seal + open };
  };
  for (const { target, channel } of channels) {
    for (const other of Object.values(TARGETS)) {
      const frame = TARGETS[target]?.(suite, chain).seal(message) ?? new Uint8Array();
      const opened = other(suite, chain).open(channel.carry(frame));
      if (Buffer.compare(opened, message) !== 0) throw new Error(`${target} is not understood`);
    }
    sample(channel, PACKETS / 4);
  }
  const samples = new Map(channels.map(({ target }) => [target, [] as Record<Operation, number>[]]));
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    // In turn, from another start each time.
    for (let index = 0; index < channels.length; index++) {
      const next = channels[(index + repetition) % channels.length];
      if (next === undefined) continue;
      samples.get(next.target)?.push(sample(next.channel, PACKETS));
    }
  }
  return OPERATIONS.flatMap((operation) => {
    const times = [...samples].map(([target, taken]) => ({
      target,
      values: taken.map((sample) => sample[operation]),
    }));
    const plain = median(times.find(({ target }) => target === "plain")?.values ?? []);
    return times.map(({ target, values }) => ({
      cell: `${operation}-${suite.name}-${size}`,
      target,
      unit: "µs" as const,
      median: median(values),
      min: Math.min(...values),
      max: Math.max(...values),
      ratioPlain: target === "plain" ? null : plain / median(values),
    }));
  });
}

function tableOf(rows: readonly Result[]): string {
  const model = cpus()[0]?.model.trim() || "unknown processor";
  const lines = rows.map(({ cell, target, median: middle, min, max, ratioPlain }) => {
    const time = `${middle.toFixed(2)} (${min.toFixed(2)} … ${max.toFixed(2)})`;
    return `| ${cell} | ${target} | ${time} | ${ratioPlain === null ? "" : ratioPlain.toFixed(2)} |`;
  });
  return [
    `Microseconds of processor time a packet, median of ${REPETITIONS} (min … max); ${cpus().length} × ${model}, Node.js ${process.versions.node}`,
    "",
    "| cell | target | µs | times as fast as plain |",
    "|---|---|---|---|",
    ...lines,
    "",
  ].join("\n");
}
