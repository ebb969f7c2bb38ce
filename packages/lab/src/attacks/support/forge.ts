import {
  type ClientEffect,
  type ClientEvent,
  type ClientId,
  type ClientRecord,
  ClientSession,
  concat,
  copyOf,
  DEFAULT_MAX_MESSAGE,
  DEFAULT_WINDOW,
  type Direction,
  type Epoch,
  encodeHeader,
  LAST_BYTES,
  LENGTH_BYTES,
  NONCE_BYTES,
  nodeCrypto,
  type Opcode,
  packetBytes,
  type Round,
  type ServerEffect,
  ServerSession,
  type Suite,
  u32,
} from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";

/** A packet that has the right shape and a true header, and random bytes where it should be sealed. */
export function shapeOf(header: {
  readonly suite: Suite;
  readonly opcode: Opcode;
  readonly direction: Direction;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
  readonly round: number;
  /** Of plaintext. */
  readonly bytes: number;
}): Uint8Array {
  const { bytes, round, ...rest } = header;
  const length = packetBytes(header.suite, bytes);
  const packet = systemRandom(length);
  encodeHeader({ ...rest, round: round as Round }, packet, 0);
  return concat(u32(length), packet);
}

/** What an attacker claims to be, and the secret that he has to go with it. */
export interface Claimed {
  readonly suite: Suite;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
  /** `E_epoch`; in classic the base key. */
  readonly secret: Uint8Array;
}

/** A client of the attacker's own making, without a socket. */
export class ForgedClient {
  readonly #session: ClientSession;

  constructor({ suite, clientId, epoch, secret }: Claimed) {
    const last = new Uint8Array(LAST_BYTES);
    this.#session = new ClientSession({
      crypto: nodeCrypto,
      suite,
      clientId,
      epoch,
      secret: copyOf(secret),
      last,
    });
  }

  hello(): Uint8Array {
    return this.#frameOf({ type: "start", ...entropy() });
  }

  /** @param challenge the server's frame @returns whether it is one for this client */
  challenged(challenge: Uint8Array): boolean {
    this.#session.handle({ type: "packet", packet: copyOf(challenge, LENGTH_BYTES) });
    if (this.#session.awaiting) this.#session.handle({ type: "committed", outcome: "done" });
    return this.#session.ready;
  }

  data(message: Uint8Array): Uint8Array {
    return this.#frameOf({ type: "send", kind: "message", message, iv: systemRandom(16) });
  }

  #frameOf(event: ClientEvent): Uint8Array {
    const frame = frameAmong(this.#session.handle(event));
    if (frame === null) throw new Error(`nothing to send on ${event.type}`);
    return frame;
  }
}

/**
 * A server's CHALLENGE: to this HELLO where the secret opens it, else to one that the attacker has made himself with the
 * secret that he has.
 */
export function forgeChallenge(claimed: Claimed, hello?: Uint8Array): Uint8Array {
  const frame =
    (hello === undefined ? null : answerTo(claimed, hello)) ??
    answerTo(claimed, new ForgedClient(claimed).hello());
  if (frame === null) throw new Error("a server does not answer its own secret");
  return frame;
}

function answerTo({ suite, clientId, epoch, secret }: Claimed, hello: Uint8Array): Uint8Array | null {
  const session = new ServerSession({ crypto: nodeCrypto, suites: [suite], maxMessage: DEFAULT_MAX_MESSAGE });
  const record: ClientRecord = {
    suite,
    clientId,
    epoch,
    secret: copyOf(secret),
    generation: 1n,
    accepted: null,
    window: DEFAULT_WINDOW,
    revoked: false,
  };
  session.handle({ type: "packet", packet: copyOf(hello, LENGTH_BYTES) });
  if (!session.awaiting) return null;
  return frameAmong(session.handle({ type: "found", record, live: false, ...entropy() }));
}

function frameAmong(effects: readonly (ClientEffect | ServerEffect)[]): Uint8Array | null {
  for (const effect of effects) if (effect.type === "send") return effect.frame;
  return null;
}

function entropy(): { readonly nonce: Uint8Array; readonly iv: Uint8Array } {
  return { nonce: systemRandom(NONCE_BYTES), iv: systemRandom(16) };
}
