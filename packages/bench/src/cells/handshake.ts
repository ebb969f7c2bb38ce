import { open } from "./exchange.ts";
import type { Effort, Measurement } from "./measurement.ts";

interface Outcome {
  readonly connections: number;
  readonly seconds: number;
}

const IN_FLIGHT = 16;
/** V8 compiles what has run often: a server that has seen few handshakes is at half of what it does all day. */
const WARM_UPS = 12;
/** Clients that are made ready for each millisecond; who is faster is done sooner. */
const PER_MS = 4;

/**
 * New clients that connect, shake hands, and have a first answer. Their credentials are ready before the clock runs, and they
 * stay connected until it has stopped. Pawl's server has synced a commit of each to its disk before it answers.
 */
export const handshake: Measurement<Outcome> = {
  name: "handshake",
  cells: [{ name: "handshake", unit: "connections/s", better: "more" }],
  warmUps: WARM_UPS,
  setting: ({ repetitions, sample, warmUp }) => ({
    fresh: false,
    application: "echo",
    durable: true,
    clients: WARM_UPS * mostOf(warmUp) + repetitions * mostOf(sample),
    connected: 0,
  }),

  work: async ({ dial }, effort) => {
    const most = mostOf(effort);
    const started = performance.now();
    const until = started + effort.ms;
    const opened = await open(dial, IN_FLIGHT, (begun) => begun >= most || performance.now() >= until);
    const seconds = (performance.now() - started) / 1_000;
    await Promise.all(opened.map((connection) => connection.close()));
    return { connections: opened.length, seconds };
  },

  figures: ({ connections, seconds }) => [connections / seconds],
};

function mostOf({ ms }: Effort): number {
  return Math.ceil(ms * PER_MS);
}
