import { EchoProbe } from "./exchange.ts";
import { type Measurement, STEADY_WARM_UPS } from "./measurement.ts";

interface Outcome {
  /** µs */
  readonly p50: number;
  readonly p99: number;
}

/** How long one client waits for an answer, with nobody beside it. @param size bytes of message */
export function latency(size: number): Measurement<Outcome> {
  return {
    name: `latency-1-${size}`,
    cells: [
      { name: `p50-1-${size}`, unit: "µs", better: "less" },
      { name: `p99-1-${size}`, unit: "µs", better: "less" },
    ],
    warmUps: STEADY_WARM_UPS,
    setting: () => ({ fresh: false, application: "echo", durable: false, clients: 1, connected: 1 }),

    work: async ({ connected: [connection] }, { ms }) => {
      if (connection === undefined) throw new Error("no client is connected");
      const probe = new EchoProbe(connection, 0, size);
      const times: number[] = [];
      let now = performance.now();
      for (const until = now + ms; now < until; ) {
        const sent = now;
        await probe.roundTrip();
        now = performance.now();
        times.push((now - sent) * 1_000);
      }
      times.sort((a, b) => a - b);
      return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
    },

    figures: ({ p50, p99 }) => [p50, p99],
  };
}

/** The smallest value that so large a part of all does not exceed. @param sorted ascending, not empty */
export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
