/** What the socket drivers of client and server share: time, randomness, how a connection ends. Not part of the core. */
export { type Clock, systemClock } from "./clock.ts";
export { DRAIN_MS, halfCloseAndDrain } from "./drain.ts";
export { pooledRandom, type Random, systemRandom } from "./random.ts";
