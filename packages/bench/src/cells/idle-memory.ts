import { open } from "./exchange.ts";
import type { Measurement } from "./measurement.ts";

interface Outcome {
  readonly connections: number;
}

const IN_FLIGHT = 16;

/**
 * What a connection costs the server that has had one answer and is left alone: by how much resident memory grows with so many
 * more of them. Batch follows batch in one process and all stay open, so that what is made once is in the warm-up.
 */
export const idleMemory: Measurement<Outcome> = {
  name: "idle-memory",
  cells: [{ name: "idle-memory", unit: "bytes a connection", better: "less" }],
  ofMemory: true,
  setting: ({ repetitions, sample, warmUp }) => ({
    fresh: true,
    application: "echo",
    durable: false,
    clients: warmUp.idle + repetitions * sample.idle,
    connected: 0,
  }),

  work: async ({ dial }, { idle }) => {
    const { length } = await open(dial, IN_FLIGHT, (begun) => begun >= idle);
    return { connections: length };
  },

  figures: ({ connections }, { residentBytes }) => [residentBytes / connections],
};
