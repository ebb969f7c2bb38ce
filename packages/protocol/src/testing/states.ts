import type { ClientId, Epoch, Round } from "../bytes.ts";
import { defaultCrypto } from "../crypto/default.ts";
import { FrameError } from "../errors.ts";
import type { ClientEvent, ServerEvent } from "../events.ts";
import { EpochSecret } from "../key-schedule.ts";
import { sealFrame } from "../record.ts";
import type { Suite } from "../suites.ts";
import type { ClientState, ServerState } from "../transitions.ts";
import type { Direction, Opcode } from "../wire.ts";
import { ClientPeer, countedEntropy, ServerPeer, TestDatabase } from "./peers.ts";

/** Sessions in every state of the tables, reached by legal moves, and one event of every kind for each. */

export const ID = 7 as ClientId;
export const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i);
const HELLO = Uint8Array.of(1);

/** A client and a server that share a secret, not yet connected. The client's epoch may be ahead. */
export function pair(
  suite: Suite,
  options: { clientEpoch?: number; window?: number; maxMessage?: number } = {},
): { client: ClientPeer; server: ServerPeer } {
  const { clientEpoch = 0, window = 64, maxMessage = 1 << 20 } = options;
  const database = new TestDatabase();
  database.put({ clientId: ID, suite, secret: SECRET, window });
  const server = new ServerPeer(database, { maxMessage });
  let secret: Uint8Array = SECRET;
  if (suite.strict) {
    secret = new EpochSecret(defaultCrypto(), suite, ID, 0 as Epoch, SECRET.slice())
      .forward(clientEpoch as Epoch)
      .copy();
  }
  const client = new ClientPeer({
    suite,
    clientId: ID,
    epoch: clientEpoch as Epoch,
    secret,
    last: new Uint8Array(16),
    maxMessage,
  });
  return { client, server };
}

const lastOf = (frames: readonly Uint8Array[]) => frames.at(-1) ?? new Uint8Array();

/** HELLO and CHALLENGE, and the client's commit. */
export function connected(suite: Suite, options: Parameters<typeof pair>[1] = {}) {
  const both = pair(suite, options);
  both.client.start();
  both.server.receive(lastOf(both.client.sent));
  both.client.receive(lastOf(both.server.sent));
  return both;
}

/** One DATA and its AGGREGATE. */
export function exchange(both: ReturnType<typeof pair>, message = HELLO, reply = HELLO): void {
  both.client.send(message);
  both.server.receive(lastOf(both.client.sent));
  both.server.answer(reply);
  both.client.receive(lastOf(both.server.sent));
}

export function inClientState(state: ClientState, suite: Suite): ClientPeer {
  const both = pair(suite);
  const { client, server } = both;
  if (state === "idle") return client;
  client.start();
  if (state === "wait-challenge") return client;
  if (state === "ended") {
    client.handle({ type: "abort" });
    return client;
  }
  if (state === "committing") client.hold = true;
  server.receive(lastOf(client.sent));
  client.receive(lastOf(server.sent));
  if (state === "wait-aggregate") client.send(HELLO);
  if (state === "terminated") client.terminate("done");
  return client;
}

export function inServerState(state: ServerState, suite: Suite): ServerPeer {
  const ahead = { deriving: 300, "catching-up": 3 }[state as string] ?? 0;
  const both = pair(suite, { clientEpoch: ahead, window: 4096 });
  const { client, server } = both;
  if (state === "wait-hello") return server;
  client.start();
  if (state === "ended") {
    server.handle({ type: "abort" });
    return server;
  }
  server.hold = true;
  server.receive(lastOf(client.sent));
  if (state === "looking-up") return server;
  server.answerPending();
  if (state === "deriving" || state === "catching-up") return server;
  client.receive(lastOf(server.sent));
  if (state === "wait-first") return server;
  client.send(HELLO);
  if (state === "re-reading") server.handle({ type: "epoch-moved" });
  server.receive(lastOf(client.sent));
  if (state === "re-reading" || state === "committing") return server;
  server.hold = false;
  server.answerPending();
  if (state === "answering") return server;
  server.answer(HELLO);
  if (state === "terminated") server.terminate("idle");
  return server;
}

/** A packet with a plausible header and a wrong tag. */
export function forged(suite: Suite, opcode: Opcode, direction: Direction, round: number): Uint8Array {
  const header = { suite, opcode, direction, clientId: ID, epoch: 0 as Epoch, round: round as Round };
  const keys = {
    enc: new Uint8Array(suite.encKeyBytes),
    mac: suite.cipher === "gcm" ? null : new Uint8Array(32),
  };
  return sealFrame(defaultCrypto(), keys, header, new Uint8Array(40), new Uint8Array(16)).subarray(4);
}

/** One event of every trigger, by its name. @throws RangeError for a trigger that is none */
type Makers<Event> = (trigger: string) => Event;

function makers<Event>(table: Record<string, () => Event>): Makers<Event> {
  return (trigger) => {
    const make = table[trigger];
    if (make === undefined) throw new RangeError(`no event is called ${trigger}`);
    return make();
  };
}

const packetMakers = (suite: Suite, direction: Direction) =>
  Object.fromEntries(
    (["HELLO", "CHALLENGE", "DATA", "AGGREGATE", "TERMINATE"] as const).map((opcode) => [
      opcode,
      () => ({ type: "packet" as const, packet: forged(suite, opcode, direction, 1) }),
    ]),
  );

const entropy = countedEntropy(9);
const frameError = () => ({ type: "frame-error" as const, error: new FrameError("too long") });

export function clientEvents(suite: Suite): Makers<ClientEvent> {
  return makers<ClientEvent>({
    ...packetMakers(suite, "s2c"),
    start: () => ({ type: "start", ...entropy() }),
    committed: () => ({ type: "committed", outcome: "done" }),
    send: () => ({ type: "send", message: HELLO, kind: "message", iv: entropy().iv }),
    terminate: () => ({ type: "terminate", reason: "done", iv: entropy().iv }),
    "frame-error": frameError,
    "end-of-stream": () => ({ type: "end-of-stream" }),
    abort: () => ({ type: "abort" }),
  });
}

export function serverEvents(peer: ServerPeer, suite: Suite): Makers<ServerEvent> {
  return makers<ServerEvent>({
    ...packetMakers(suite, "c2s"),
    found: () => ({ type: "found", record: peer.database.read(ID), live: false, ...entropy() }),
    derived: () => ({ type: "derived", secret: new Uint8Array(32), ...entropy() }),
    committed: () => ({ type: "committed", outcome: "done", ...entropy() }),
    "epoch-moved": () => ({ type: "epoch-moved" }),
    deadline: () => ({ type: "deadline" }),
    answer: () => ({ type: "answer", message: HELLO, iv: entropy().iv }),
    terminate: () => ({ type: "terminate", reason: "idle", iv: entropy().iv }),
    "frame-error": frameError,
    "end-of-stream": () => ({ type: "end-of-stream" }),
    abort: () => ({ type: "abort" }),
  });
}
