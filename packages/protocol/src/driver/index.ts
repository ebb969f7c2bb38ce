/** What the socket drivers of client and server share: time, randomness, how a connection ends. Not part of the core. */
export { type Clock, systemClock } from "./clock.ts";
export { DRAIN_MS, halfCloseAndDrain } from "./drain.ts";
export { PacketSource, type StreamEvent } from "./packet-source.ts";
export { pooledRandom, type Random, systemRandom } from "./random.ts";
