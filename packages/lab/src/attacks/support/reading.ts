import { copyOf, type Epoch, LENGTH_BYTES } from "@pawl/protocol";
import { is, type ObservedFrame } from "../../mitm/index.ts";
import {
  type Holder,
  handshakeKeys,
  type Keys,
  keysOfOnePacket,
  messageIn,
  nextSecret,
  openPacket,
  trafficChains,
} from "./schedule.ts";

/** What could be read of a recording with keys that were taken. */
export interface Reading {
  /** Messages in the order of the frames; null where the packet stayed closed. */
  readonly messages: ReadonlyMap<ObservedFrame, Uint8Array | null>;
  readonly opened: number;
  readonly of: number;
}

export const packetOf = (frame: ObservedFrame): Uint8Array => copyOf(frame.bytes, LENGTH_BYTES);

/** Tries every key on every frame, and goes on with what each opened packet turns its keys into. */
export function read(frames: readonly ObservedFrame[], keys: Iterable<Keys>): Reading {
  const messages = new Map<ObservedFrame, Uint8Array | null>(frames.map((frame) => [frame, null]));
  const known = [...keys];
  // Each opened packet adds keys behind those that are tried now.
  for (let at = 0; at < known.length; at++) {
    for (const [frame, message] of messages) {
      if (message !== null || frame.header === null) continue;
      const { suite } = frame.header;
      const candidate = known[at];
      const plaintext = candidate === undefined ? null : openPacket(suite, candidate.packet, packetOf(frame));
      if (plaintext === null) continue;
      const found = messageIn(suite, plaintext);
      messages.set(frame, found);
      const next = candidate?.after(packetOf(frame), found) ?? null;
      if (next !== null) known.push(next);
    }
  }
  const opened = [...messages.values()].filter((message) => message !== null).length;
  return { messages, opened, of: frames.length };
}

/** Everything that follows from the secret of one epoch for a session of that epoch. */
export function keysOfSession(secret: Uint8Array, holder: Holder, frames: readonly ObservedFrame[]): Keys[] {
  const hello = frames.find(is("HELLO"));
  const challenge = frames.find(is("CHALLENGE"));
  const keys = [
    keysOfOnePacket(handshakeKeys(secret, holder, "c2s hello")),
    keysOfOnePacket(handshakeKeys(secret, holder, "s2c challenge")),
  ];
  if (hello === undefined || challenge === undefined) return keys;
  const { c2s, s2c } = trafficChains(secret, holder, packetOf(hello), packetOf(challenge));
  return [...keys, c2s, s2c];
}

/**
 * Reads one recorded session with a stored secret: moved forward to the session's epoch where that is ahead. Behind it
 * there is nothing to derive, so it is tried as it is.
 */
export function readWithSecret(
  frames: readonly ObservedFrame[],
  secret: Uint8Array,
  { suite, clientId, epoch }: Holder,
): Reading {
  const of = frames[0]?.header?.epoch ?? epoch;
  let at = secret;
  for (let e: number = epoch; e < of; e++) at = nextSecret(at, { suite, clientId, epoch: e as Epoch });
  return read(frames, keysOfSession(at, { suite, clientId, epoch: of }, frames));
}

/** Adds up readings of several sessions. */
export function sum(readings: readonly Reading[]): { readonly opened: number; readonly of: number } {
  return {
    opened: readings.reduce((total, { opened }) => total + opened, 0),
    of: readings.reduce((total, { of }) => total + of, 0),
  };
}

/** Frames session by session, in the order of their connections. */
export function bySession(frames: readonly ObservedFrame[]): ObservedFrame[][] {
  const sessions = new Map<number, ObservedFrame[]>();
  for (const frame of frames) {
    const session = sessions.get(frame.connection) ?? [];
    sessions.set(frame.connection, session);
    session.push(frame);
  }
  return [...sessions.values()];
}
