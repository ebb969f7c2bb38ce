import {
  type ClientId,
  type ClientRecord,
  ClientSession,
  defaultCrypto,
  type Epoch,
  ServerSession,
  type Suite,
  suiteById,
} from "@pawl/protocol";
import { Chain, ClassicChain, type PacketChain } from "../packages/protocol/src/key-schedule.ts";
import { parsePadding } from "../packages/protocol/src/padding.ts";
import { reasonFromCode } from "../packages/protocol/src/reasons.ts";
import { RecordOpener, RecordSealer } from "../packages/protocol/src/record.ts";
import {
  ClientPeer,
  type Entropy,
  ServerPeer,
  TestDatabase,
} from "../packages/protocol/src/testing/peers.ts";
import { bytes, type KeysVector, type PacketVector, type RecordVector, type SessionVector } from "./load.ts";

/** Plays the sessions of packets.json on both roles, and steers a session into a state that no short play reaches. */

export function suiteOf(id: number): Suite {
  const suite = suiteById(id);
  if (suite === undefined) throw new RangeError(`suite ${id} is unknown`);
  return suite;
}

export function recordOf(clientId: number, vector: RecordVector): ClientRecord {
  const secret = vector.secret ?? vector.basekey;
  if (secret === undefined) throw new RangeError("a record without a secret");
  return {
    clientId: clientId as ClientId,
    suite: suiteOf(vector.suite),
    generation: BigInt(vector.generation ?? 1),
    epoch: (vector.epoch ?? 0) as Epoch,
    secret: bytes(secret),
    accepted: null,
    window: vector.window ?? 64,
    revoked: vector.revoked ?? false,
  };
}

export function databaseOf(records: Record<string, RecordVector>): TestDatabase {
  const database = new TestDatabase();
  for (const [id, record] of Object.entries(records)) database.put(recordOf(Number(id), record));
  return database;
}

function chainOf(suite: Suite, keys: string | KeysVector): PacketChain {
  if (typeof keys === "string") return new Chain(defaultCrypto(), suite, bytes(keys));
  return ClassicChain.fromKeys(defaultCrypto(), bytes(keys.enc), bytes(keys.mac ?? ""));
}

export interface Steering {
  rx: number;
  tx: number;
  receives: string | KeysVector;
  sends: string | KeysVector;
}

class SteeredServer extends ServerSession {
  steer(suite: Suite, { rx, tx, receives, sends }: Steering): void {
    this.rx = rx;
    this.tx = tx;
    this.opener = new RecordOpener(defaultCrypto(), chainOf(suite, receives));
    this.sealer = new RecordSealer(defaultCrypto(), chainOf(suite, sends));
  }
}
class SteeredClient extends ClientSession {
  steer(suite: Suite, { rx, tx, receives, sends }: Steering): void {
    this.rx = rx;
    this.tx = tx;
    this.opener = new RecordOpener(defaultCrypto(), chainOf(suite, receives));
    this.sealer = new RecordSealer(defaultCrypto(), chainOf(suite, sends));
  }
}

/** Both sides of one session vector, played packet by packet. */
export class Play {
  readonly client: ClientPeer;
  readonly server: ServerPeer;
  readonly #clientSession: SteeredClient;
  readonly #serverSession: SteeredServer;
  readonly #vector: SessionVector;
  #played = 0;

  constructor(vector: SessionVector, options: { runs?: number[]; database?: TestDatabase } = {}) {
    this.#vector = vector;
    const suite = suiteOf(vector.suite);
    const stored = vector.client;
    const secret = bytes(stored.secret ?? stored.basekey ?? "");
    const credential = {
      suite,
      clientId: vector.clientId as ClientId,
      epoch: (stored.epoch ?? 0) as Epoch,
      secret,
      last: stored.last === undefined ? new Uint8Array(16) : bytes(stored.last),
      maxMessage: vector.maxMessage,
    };
    this.#clientSession = new SteeredClient({
      crypto: defaultCrypto(),
      ...credential,
      secret: secret.slice(),
    });
    this.client = new ClientPeer({ ...credential, session: this.#clientSession });
    const suites = (options.runs ?? [1, 2, 3]).map(suiteOf);
    this.#serverSession = new SteeredServer({
      crypto: defaultCrypto(),
      suites,
      maxMessage: vector.maxMessage,
    });
    const database = options.database ?? databaseOf({ [vector.clientId]: vector.server });
    this.server = new ServerPeer(database, { session: this.#serverSession });
  }

  get nextPacket(): PacketVector | undefined {
    return this.#vector.packets[this.#played];
  }

  /** The sender makes the next packet; returns its frame and advances. Does not give it to the receiver. */
  produce(): { packet: PacketVector; frame: Uint8Array | undefined } {
    const packet = this.nextPacket;
    if (packet === undefined) throw new RangeError("every packet has been played");
    this.#played++;
    const side = packet.direction === "c2s" ? this.client : this.server;
    side.entropy = entropyOf(packet);
    const padding = packet.padding === undefined ? undefined : parsePadding(packet.padding);
    const message = bytes(packet.message);
    if (packet.opcode === 10) this.client.start();
    else if (packet.opcode === 30)
      this.client.send(message, packet.kind === 2 ? "cover" : "message", padding);
    else if (packet.opcode === 40) this.server.answer(message, padding);
    else if (packet.opcode === 60 && side.session.state !== "terminated") {
      side.terminate(reasonFromCode(message[0] ?? 0));
    }
    return { packet, frame: side.sent.at(-1) };
  }

  /** Gives a frame to the receiver of this direction. A server's answer to HELLO is sealed with the next packet's values. */
  give(packet: PacketVector, frame: Uint8Array): void {
    const next = this.nextPacket;
    if (packet.direction === "s2c") {
      this.client.receive(frame);
      return;
    }
    if (next?.direction === "s2c") this.server.entropy = entropyOf(next);
    this.server.receive(frame);
  }

  /** Plays up to and with the packets named; checks nothing. */
  through(names: readonly string[]): this {
    for (const name of names) {
      const { packet, frame } = this.produce();
      if (packet.name !== name || frame === undefined) throw new RangeError(`${name} is not what comes next`);
      this.give(packet, frame);
    }
    return this;
  }

  /** Sets counts and chains, as a state of negative.json gives them. */
  steer(role: "client" | "server", suite: Suite, steering: Steering): void {
    if (role === "client") this.#clientSession.steer(suite, steering);
    else this.#serverSession.steer(suite, steering);
  }
}

function entropyOf(packet: PacketVector): () => Entropy {
  const entropy = {
    nonce: packet.nonce === undefined ? new Uint8Array(32) : bytes(packet.nonce),
    iv: bytes(packet.iv),
  };
  return () => entropy;
}
