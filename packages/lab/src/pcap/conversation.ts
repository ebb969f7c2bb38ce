import type { EndOfStream, Side } from "../mitm/index.ts";
import { type Endpoint, MAX_SEGMENT, packetOf, TCP_FLAGS, WINDOW } from "./segment.ts";

export type Emit = (packet: Uint8Array, comments: readonly string[]) => void;

/** Well within the window, as receivers do. */
const SEGMENTS_PER_ACK = Math.floor(WINDOW / MAX_SEGMENT / 2);
const NOTHING = new Uint8Array();
const OTHER: Readonly<Record<Side, Side>> = { client: "server", server: "client" };

/** One TCP connection as packets: what its two sides would have sent on a network that loses nothing. */
export class Conversation {
  readonly #ends: Readonly<Record<Side, Endpoint>>;
  readonly #emit: Emit;
  /** The number of each side's next byte. */
  readonly #next: Record<Side, number> = { client: 0, server: 0 };
  /** Who has ended his stream. */
  readonly #ended = new Set<Side>();
  #isReset = false;

  constructor(client: Endpoint, server: Endpoint, emit: Emit) {
    this.#ends = { client, server };
    this.#emit = emit;
  }

  /** The three segments of its beginning. */
  open(comments: readonly string[]): void {
    this.#put("client", TCP_FLAGS.syn, NOTHING, comments);
    this.#put("server", TCP_FLAGS.syn | TCP_FLAGS.ack);
    this.#put("client", TCP_FLAGS.ack);
  }

  /** Bytes of one side, acknowledged by the other. After the end of its stream it can send none. */
  send(from: Side, bytes: Uint8Array, comments: readonly string[] = []): void {
    if (this.#isReset || this.#ended.has(from)) return;
    for (let at = 0, count = 1; at < bytes.length; at += MAX_SEGMENT, count++) {
      const isLast = at + MAX_SEGMENT >= bytes.length;
      const flags = TCP_FLAGS.ack | (isLast ? TCP_FLAGS.psh : 0);
      this.#put(from, flags, bytes.subarray(at, at + MAX_SEGMENT), at === 0 ? comments : []);
      if (isLast || count % SEGMENTS_PER_ACK === 0) this.#put(OTHER[from], TCP_FLAGS.ack);
    }
  }

  /** One side ends its stream in order, or both streams by a reset. */
  end(from: Side, how: EndOfStream, comments: readonly string[] = []): void {
    const isOver = this.#isReset || this.#ended.size === 2;
    if (isOver || (how === "fin" && this.#ended.has(from))) return;
    if (how === "rst") {
      this.#isReset = true;
      this.#put(from, TCP_FLAGS.rst | TCP_FLAGS.ack, NOTHING, comments);
      return;
    }
    this.#ended.add(from);
    this.#put(from, TCP_FLAGS.fin | TCP_FLAGS.ack, NOTHING, comments);
    this.#put(OTHER[from], TCP_FLAGS.ack);
  }

  #put(side: Side, flags: number, payload: Uint8Array = NOTHING, comments: readonly string[] = []): void {
    const [from, to] = [this.#ends[side], this.#ends[OTHER[side]]];
    const seq = this.#next[side];
    const ack = (flags & TCP_FLAGS.ack) === 0 ? 0 : this.#next[OTHER[side]];
    this.#emit(packetOf({ from, to, seq, ack, flags, payload }), comments);
    // SYN and FIN count as a byte.
    const counted = payload.length + ((flags & (TCP_FLAGS.syn | TCP_FLAGS.fin)) === 0 ? 0 : 1);
    this.#next[side] = (seq + counted) % 2 ** 32;
  }
}
