import type { Credential } from "@pawl/client";
import {
  CLASSIC_NONCE_BYTES,
  type ClientId,
  concat,
  type Epoch,
  type Header,
  LENGTH_BYTES,
  NONCE_BYTES,
  type Opcode,
  type Round,
  type Suite,
} from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { type AttackerConnection, is, type Recording, Watch } from "../../mitm/index.ts";
import type { Enrolled } from "../../world/enrolled.ts";
import { PATIENCE_MS } from "./private-world.ts";
import { packetOf } from "./reading.ts";
import {
  classicStart,
  handshakeKeys,
  type Keys,
  messageIn,
  type PacketKeys,
  plaintextFor,
  sealFrame,
  trafficChains,
} from "./schedule.ts";

/** What a packet of one's own is to be, where that is not what is due. */
export interface Crafted {
  readonly opcode?: Opcode;
  readonly round?: number;
  /** In place of a message and its kind. */
  readonly plaintext?: Uint8Array;
  /** A plaintext of whole blocks, without the block of padding behind it; the tag is right. Not in suite 3. */
  readonly unpadded?: boolean;
}

/**
 * A client of the attacker's own, whose keys he has: he seals what no client would. It moves no stored epoch of its
 * credential, and speaks only when it is told to.
 */
export class OwnSession {
  readonly connection: AttackerConnection;
  readonly #recording: Recording;
  readonly #holder: { readonly suite: Suite; readonly clientId: ClientId; readonly epoch: Epoch };
  #c2s: Keys;
  #round = 1;

  private constructor(
    connection: AttackerConnection,
    recording: Recording,
    holder: { suite: Suite; clientId: ClientId; epoch: Epoch },
    c2s: Keys,
  ) {
    this.connection = connection;
    this.#recording = recording;
    this.#holder = holder;
    this.#c2s = c2s;
  }

  /** HELLO and CHALLENGE on this connection. @throws where the server does not answer */
  static async open(
    connection: AttackerConnection,
    recording: Recording,
    { store }: Pick<Enrolled, "store">,
  ): Promise<OwnSession> {
    const credential = await store.load();
    await store.close();
    const { suite, clientId, epoch, secret } = credential;
    const holder = { suite, clientId, epoch };
    const { hello, message } = sealHello(credential);
    const watch = new Watch(recording, connection.id, "server");
    connection.send(hello, "HELLO of a client of his own");
    const challenge = (await watch.frames(1, PATIENCE_MS)).frames.find(is("CHALLENGE"));
    if (challenge === undefined) throw new Error("the server did not answer a client of the lab's own");
    const packet = hello.subarray(LENGTH_BYTES);
    const start = classicStart(secret, clientId);
    const c2s = suite.strict
      ? trafficChains(secret, holder, packet, packetOf(challenge)).c2s
      : (start.after(packet, message) ?? start);
    return new OwnSession(connection, recording, holder, c2s);
  }

  /** The packet that is due, or another; the keys move on. */
  seal(message: Uint8Array, crafted: Crafted = {}): Uint8Array {
    const { suite } = this.#holder;
    const { opcode = "DATA", round = this.#round, unpadded } = crafted;
    const plaintext = crafted.plaintext ?? plaintextFor(suite, message);
    const frame = seal(this.#c2s.packet, headerOf(this.#holder, opcode, round), plaintext, unpadded);
    this.#round++;
    this.#c2s = this.#c2s.after(frame.subarray(LENGTH_BYTES), messageIn(suite, plaintext)) ?? this.#c2s;
    return frame;
  }

  send(frame: Uint8Array, note: string): void {
    this.connection.send(frame, note);
  }

  /** Looks at the server, from now on. */
  watch(): Watch {
    return new Watch(this.#recording, this.connection.id, "server");
  }
}

/** A HELLO of this credential. @param message in place of what it carries */
export function sealHello(
  { suite, clientId, epoch, secret, last }: Credential,
  message: Uint8Array = suite.strict
    ? concat(systemRandom(NONCE_BYTES), last)
    : systemRandom(CLASSIC_NONCE_BYTES),
): { readonly hello: Uint8Array; readonly message: Uint8Array } {
  const holder = { suite, clientId, epoch };
  const keys = suite.strict
    ? handshakeKeys(secret, holder, "c2s hello")
    : classicStart(secret, clientId).packet;
  return { hello: seal(keys, headerOf(holder, "HELLO", 0), plaintextFor(suite, message)), message };
}

function headerOf(
  holder: Pick<Header, "suite" | "clientId" | "epoch">,
  opcode: Opcode,
  round: number,
): Header {
  return { ...holder, opcode, direction: "c2s", round: round as Round };
}

function seal(keys: PacketKeys, header: Header, plaintext: Uint8Array, unpadded?: boolean): Uint8Array {
  return sealFrame(keys, header, plaintext, systemRandom(header.suite.ivBytes), unpadded);
}
