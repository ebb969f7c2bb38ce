import type { ClientId } from "@pawl/protocol";
import { decodeHeader, nodeCrypto, parsePadding, SUITES, toHex } from "@pawl/protocol";
import { ClassicChain } from "../../packages/protocol/src/key-schedule.ts";
import { paddedLength, unwrap, wrap } from "../../packages/protocol/src/padding.ts";
import { TERMINATE_REASONS } from "../../packages/protocol/src/reasons.ts";
import { sealFrame } from "../../packages/protocol/src/record.ts";
import { splitPacket } from "../../packages/protocol/src/wire.ts";
import {
  bytes,
  type KeysVector,
  type PacketsVectors,
  type PacketVector,
  type SessionVector,
} from "../load.ts";
import { Play, suiteOf } from "../play.ts";
import { derive, epochContext, fill, keysOf } from "./schedule.ts";

export function recomputePackets(file: PacketsVectors & Record<string, unknown>): Record<string, unknown> {
  return {
    ...file,
    sessions: file.sessions.map(recomputeSession),
    padding: file.padding.map((v) =>
      fill(v, { plaintextLength: paddedLength(parsePadding(v.policy), v.messageLength, v.limit) }),
    ),
    plaintexts: file.plaintexts.map((v) => {
      if (v.message === undefined || v.policy === undefined) return fill(v, { error: errorOf(v.plaintext) });
      const message = bytes(v.message);
      const length = paddedLength(parsePadding(v.policy), message.length, 1 << 20);
      return fill(v, { plaintext: toHex(wrap(message, v.kind === 2 ? "cover" : "message", length)) });
    }),
  };
}

function errorOf(plaintext: string): string {
  try {
    unwrap(bytes(plaintext));
    return "none";
  } catch (error) {
    return (error as Error).name;
  }
}

/** Both sides play; keys, chains and plaintexts are followed beside them. */
function recomputeSession(vector: SessionVector): SessionVector {
  const play = new Play(vector);
  const suite = suiteOf(vector.suite);
  const keys: KeyLog = suite.strict ? new StrictKeys(vector) : new ClassicKeys(vector);
  const packets = vector.packets.map((stored) => {
    const before = keys.before(stored);
    const plaintext = plaintextOf(stored, suite.strict, vector.maxMessage);
    const known =
      stored.opcode !== 60 ||
      Object.values<number>(TERMINATE_REASONS).includes(Number.parseInt(stored.message, 16));
    const [clientCommits, serverCommits] = [play.client.commits.length, play.server.commits.length];
    const { frame } = play.produce();
    // A reason that no sender of ours knows is sealed by hand.
    const made = known && frame !== undefined ? toHex(frame) : sealByHand(stored, before, plaintext);
    if (!stored.crosses) play.give(stored, bytes(made));
    const commits = (list: readonly { from: number; to: number; secret: Uint8Array }[]) =>
      list.map(({ from, to, secret }) => ({ from, to, secret: toHex(secret) }));
    return fill(stored, {
      plaintext,
      keys: before,
      frame: made,
      after: keys.after(stored, made),
      helloHash: keys.helloHash,
      clientCommits: commits(play.client.commits.slice(clientCommits)),
      serverCommits: commits(play.server.commits.slice(serverCommits)),
    });
  });
  return fill(vector, { packets, ...(keys.traffic === undefined ? {} : { traffic: keys.traffic }) });
}

function plaintextOf(packet: PacketVector, strict: boolean, maxMessage: number): string {
  if (!strict) return packet.message;
  const message = bytes(packet.message);
  const limit = packet.opcode === 30 && packet.round === 1 ? Math.min(16_384, maxMessage) : maxMessage;
  const length = paddedLength(parsePadding(packet.padding ?? "none"), message.length, limit);
  return toHex(wrap(message, packet.kind === 2 ? "cover" : "message", length));
}

function sealByHand(packet: PacketVector, keys: KeysVector, plaintext: string): string {
  const header = decodeHeader(bytes(packet.frame).subarray(4), SUITES);
  const packetKeys = { enc: bytes(keys.enc), mac: keys.mac === undefined ? null : bytes(keys.mac) };
  return toHex(sealFrame(nodeCrypto, packetKeys, header, bytes(plaintext), bytes(packet.iv)));
}

interface KeyLog {
  readonly traffic?: NonNullable<SessionVector["traffic"]>;
  readonly helloHash: string;
  before(packet: PacketVector): KeysVector;
  after(packet: PacketVector, frame: string): KeysVector;
}

class StrictKeys implements KeyLog {
  readonly #suite: number;
  readonly #secret: string;
  readonly #context: string;
  readonly #epoch: number;
  readonly #chains = { c2s: "", s2c: "" };
  traffic?: NonNullable<SessionVector["traffic"]>;
  helloHash = "";

  constructor(vector: SessionVector) {
    this.#suite = vector.suite;
    this.#secret = vector.client.secret ?? "";
    this.#epoch = vector.client.epoch ?? 0;
    this.#context = epochContext(vector.suite, vector.clientId, this.#epoch);
  }

  before(packet: PacketVector): KeysVector {
    const chain =
      packet.opcode === 10
        ? derive(this.#secret, "c2s hello", this.#context)
        : packet.opcode === 20
          ? derive(this.#secret, "s2c challenge", this.#context)
          : this.#chains[packet.direction];
    return { chain, ...keysOf(this.#suite, chain) };
  }

  after(packet: PacketVector, frame: string): KeysVector {
    const body = bytes(frame).subarray(4);
    const hash = toHex(nodeCrypto.sha256(body));
    if (packet.opcode === 10) this.helloHash = hash;
    else if (packet.opcode === 20) this.#startTraffic(hash);
    else {
      const { iv, tag } = splitPacket(suiteOf(this.#suite), body);
      this.#chains[packet.direction] = derive(
        this.#chains[packet.direction],
        "ratchet",
        toHex(iv) + toHex(tag),
      );
    }
    return this.before({ ...packet, opcode: 30 });
  }

  #startTraffic(challengeHash: string): void {
    const S = derive(this.#secret, "session", this.#context);
    const T = toHex(nodeCrypto.sha256(bytes(this.helloHash + challengeHash)));
    const c2s = derive(S, "c2s traffic", T);
    const s2c = derive(S, "s2c traffic", T);
    this.traffic = { epoch: this.#epoch, helloHash: this.helloHash, challengeHash, T, S, c2s, s2c };
    Object.assign(this.#chains, { c2s, s2c });
  }
}

class ClassicKeys implements KeyLog {
  readonly #chains: { c2s: ClassicChain; s2c: ClassicChain };
  readonly helloHash = "";

  constructor(vector: SessionVector) {
    const start = () =>
      ClassicChain.start(nodeCrypto, bytes(vector.client.basekey ?? ""), vector.clientId as ClientId);
    this.#chains = { c2s: start(), s2c: start() };
  }

  before({ direction }: PacketVector): KeysVector {
    const { enc, mac } = this.#chains[direction].keys();
    return { enc: toHex(enc), mac: toHex(mac ?? new Uint8Array()) };
  }

  after(packet: PacketVector): KeysVector {
    this.#chains[packet.direction].advance(new Uint8Array(), new Uint8Array(), bytes(packet.message));
    return this.before(packet);
  }
}
