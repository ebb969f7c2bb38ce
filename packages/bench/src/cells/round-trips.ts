import { EchoProbe } from "./exchange.ts";
import { type Measurement, STEADY_WARM_UPS } from "./measurement.ts";

interface Outcome {
  readonly roundTrips: number;
  readonly seconds: number;
}

/** Every client sends, waits for the answer, sends again. @param size bytes of message */
export function roundTrips(clients: number, size: number): Measurement<Outcome> {
  return {
    name: `round-trips-${clients}-${size}`,
    cells: [
      { name: `rtt-${clients}-${size}`, unit: "round trips/s", better: "more" },
      { name: `cpu-${clients}-${size}`, unit: "µs of processor", better: "less" },
    ],
    warmUps: STEADY_WARM_UPS,
    setting: () => ({ fresh: false, application: "echo", durable: false, clients, connected: clients }),

    work: async ({ connected }, { ms }) => {
      const probes = connected.map((connection, index) => new EchoProbe(connection, index, size));
      const started = performance.now();
      const until = started + ms;
      const counts = await Promise.all(
        probes.map(async (probe) => {
          let count = 0;
          for (; performance.now() < until; count++) await probe.roundTrip();
          return count;
        }),
      );
      const seconds = (performance.now() - started) / 1_000;
      return { roundTrips: counts.reduce((sum, count) => sum + count, 0), seconds };
    },

    figures: ({ roundTrips, seconds }, { processorMicros }) => [
      roundTrips / seconds,
      processorMicros / roundTrips,
    ],
  };
}
