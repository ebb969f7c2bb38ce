/** What the drivers of client and server share: time, randomness, sockets, folders. Not part of the core. */
export { type Clock, systemClock, type Timer, timersBy } from "./clock.ts";
export { DRAIN_MS, halfCloseAndDrain } from "./drain.ts";
export { syncFolder } from "./folder.ts";
export { PacketSource, type StreamEvent } from "./packet-source.ts";
export { pooledRandom, type Random, systemRandom } from "./random.ts";
export { sendFrame } from "./send-frame.ts";
