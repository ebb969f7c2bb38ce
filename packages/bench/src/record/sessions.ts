import {
  ClientSession,
  type CryptoProvider,
  clientId,
  copyOf,
  DEFAULT_MAX_MESSAGE,
  DEFAULT_WINDOW,
  type Epoch,
  LAST_BYTES,
  LENGTH_BYTES,
  NONCE_BYTES,
  SECRET_BYTES,
  ServerSession,
  type Suite,
} from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import type { Channel } from "./channel.ts";
import { BATCH } from "./measure.ts";

/**
 * What sessions do with packets, without a socket. A session is in lock-step, so a batch is one packet of as many sessions: DATA in one
 * batch, the answers to them in the next.
 */
export function sessionChannel(crypto: CryptoProvider, suite: Suite): Channel {
  const pairs = Array.from({ length: BATCH }, () => new SessionPair(crypto, suite));
  const inTurn = () => {
    let next = 0;
    return (): SessionPair => {
      const pair = pairs[next++ % pairs.length];
      if (pair === undefined) throw new Error("there are no sessions");
      return pair;
    };
  };
  const [sealing, opening] = [inTurn(), inTurn()];
  return {
    seal: (message) => sealing().seal(message),
    open: (packet) => opening().open(packet),
    carry: (frame) => {
      const packet = copyOf(frame, LENGTH_BYTES);
      crypto.recycle?.(frame);
      return packet;
    },
  };
}

/** Client and server of one session, in one process, after a first round. */
class SessionPair {
  readonly #client: ClientSession;
  readonly #server: ServerSession;
  #turn: "client" | "server" = "client";

  constructor(crypto: CryptoProvider, suite: Suite) {
    const id = clientId(1);
    const epoch = 0 as Epoch;
    const client = new ClientSession({
      crypto,
      suite,
      clientId: id,
      epoch,
      secret: secret(),
      last: new Uint8Array(LAST_BYTES),
    });
    const server = new ServerSession({ crypto, suites: [suite], maxMessage: DEFAULT_MAX_MESSAGE });
    this.#client = client;
    this.#server = server;
    const record = {
      clientId: id,
      suite,
      generation: 1n,
      epoch,
      secret: secret(),
      accepted: null,
      window: DEFAULT_WINDOW,
      revoked: false,
    };
    const hello = client.handle({ type: "start", ...entropy() });
    server.handle({ type: "packet", packet: packetIn(hello) });
    const challenge = server.handle({ type: "found", record, live: false, ...entropy() });
    client.handle({ type: "packet", packet: packetIn(challenge) });
    client.handle({ type: "committed", outcome: "done" });
    const first = client.handle({ type: "send", message: new Uint8Array(), kind: "cover", iv: iv() });
    server.handle({ type: "packet", packet: packetIn(first) });
    server.handle({ type: "committed", outcome: "done", ...entropy() });
    const answer = server.handle({ type: "answer", message: new Uint8Array(), iv: iv() });
    client.handle({ type: "packet", packet: packetIn(answer) });
  }

  /** By whoever's turn it is. */
  seal(message: Uint8Array): Uint8Array {
    return effectOf(
      "send",
      this.#turn === "client"
        ? this.#client.handle({ type: "send", message, kind: "message", iv: iv() })
        : this.#server.handle({ type: "answer", message, iv: iv() }),
    ).frame;
  }

  /** By the other; then it is the other's turn. */
  open(packet: Uint8Array): Uint8Array {
    const event = { type: "packet", packet } as const;
    const fromClient = this.#turn === "client";
    this.#turn = fromClient ? "server" : "client";
    return effectOf("deliver", fromClient ? this.#server.handle(event) : this.#client.handle(event)).message;
  }
}

type Effect = ReturnType<ClientSession["handle"] | ServerSession["handle"]>[number];

/** @throws Error where the session did something else */
function effectOf<T extends Effect["type"]>(
  type: T,
  effects: readonly Effect[],
): Extract<Effect, { type: T }> {
  for (const effect of effects) if (isOf(type, effect)) return effect;
  throw new Error(`a session had no effect ${type} but ${effects.map((effect) => effect.type).join(", ")}`);
}

function isOf<T extends Effect["type"]>(type: T, effect: Effect): effect is Extract<Effect, { type: T }> {
  return effect.type === type;
}

function packetIn(effects: readonly Effect[]): Uint8Array {
  return copyOf(effectOf("send", effects).frame, LENGTH_BYTES);
}

/** Of both sides: a bench has no secrets. */
function secret(): Uint8Array {
  return new Uint8Array(SECRET_BYTES).fill(7);
}

const IV_BYTES = 16;

function iv(): Uint8Array {
  return systemRandom(IV_BYTES);
}

function entropy(): { readonly nonce: Uint8Array; readonly iv: Uint8Array } {
  return { nonce: systemRandom(NONCE_BYTES), iv: iv() };
}
