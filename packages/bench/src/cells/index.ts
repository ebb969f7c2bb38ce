import { handshake } from "./handshake.ts";
import { idleMemory } from "./idle-memory.ts";
import { latency } from "./latency.ts";
import type { Measurement } from "./measurement.ts";
import { roundTrips } from "./round-trips.ts";
import { rounds } from "./rounds.ts";

/** Everything that is measured, in this order. */
export const MEASUREMENTS: readonly Measurement[] = [
  roundTrips(1, 64),
  roundTrips(1, 1_024),
  roundTrips(1, 16_384),
  latency(64),
  roundTrips(100, 64),
  roundTrips(100, 1_024),
  roundTrips(100, 16_384),
  rounds(100),
  handshake,
  idleMemory,
];

export const CELLS = MEASUREMENTS.flatMap(({ cells }) => cells);
