import type { Socket } from "node:net";
import { concat, FrameReader, u32 } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import type { EndOfStream } from "./recording.ts";

/** Longer than any frame of a peer within its limits; what claims more passes through unread. */
const MAX_FRAME = 64 << 20;
/** With more than this behind a delayed frame the sender is not read from until that has gone. */
const MAX_WAITING_BYTES = 1 << 20;

/** What a flow tells the man in the middle. */
export interface FlowHandlers {
  /** A whole frame came, with its length. Null: nobody looks, and all bytes pass as they came. */
  readonly onFrame: ((frame: Uint8Array) => void) | null;
  /** Bytes came that are no frame, and pass. */
  readonly onUnread: (bytes: Uint8Array) => void;
  /** The sender has ended its stream. RST may come behind a FIN. */
  readonly onEnd: (how: EndOfStream) => void;
}

/** One direction of a connection through the man in the middle: reads frames on one side, writes on the other. */
export class Flow {
  readonly #from: Socket | null;
  readonly #to: Socket | null;
  readonly #clock: Clock;
  readonly #reader = new FrameReader();
  readonly #handlers: FlowHandlers;
  #transparent: boolean;
  #ended: EndOfStream | null = null;
  /** What waits behind a frame that is delayed. */
  #waiting: { readonly act: () => void; readonly bytes: number }[] | null = null;
  #waitingBytes = 0;
  #cancelDelay: () => void = () => {};
  /** How many reasons there are not to read from the sender. */
  #heldUp = 0;
  /** Lets the sender go on that is held up by what waits. */
  #goOn: (() => void) | null = null;
  /** Receivers that the sender waits for. */
  readonly #full = new Set<Socket>();

  /** @param from, to null where the attacker himself is at that end */
  constructor(from: Socket | null, to: Socket | null, clock: Clock, handlers: FlowHandlers) {
    this.#from = from;
    this.#to = to;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#transparent = handlers.onFrame === null;
    if (from === null) return;
    from.on("data", (chunk: Buffer) => this.#read(chunk));
    from.on("end", () => this.#end("fin"));
    from.on("error", () => this.#end("rst"));
    // A server's socket may have been paused until somebody listens.
    from.resume();
  }

  /** Whether bytes can still be written to the receiver. */
  get isOpen(): boolean {
    return this.#to?.writable === true;
  }

  /** Whether something is delayed, so that what comes next has to wait. */
  get isDelayed(): boolean {
    return this.#waiting !== null;
  }

  /** Does this now, or when what was delayed before it is through. @param bytes that it keeps in memory until then */
  inTurn(act: () => void, bytes = 0): void {
    if (this.#waiting === null) {
      act();
      return;
    }
    this.#waiting.push({ act, bytes });
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#goOn ??= this.#holdUp();
  }

  /** What comes next in turn is done so much later. */
  pauseFor(ms: number): void {
    this.inTurn(() => {
      this.#waiting = [];
      this.#cancelDelay = this.#clock.after(ms, () => this.#catchUp());
    });
  }

  /**
   * Writes to the receiver, while `isOpen`. Where that takes no more for now, the sender whose bytes are the cause is not
   * read from until it does: nothing piles up here.
   * @param cause the flow that the bytes came in; this one unless given
   * @param written called when the bytes are with the system, or lost
   */
  write(bytes: Uint8Array, cause: Flow = this, written: () => void = () => {}): void {
    if (this.#to?.write(bytes, () => written()) === false) cause.#waitFor(this.#to);
  }

  /** Forgets what is delayed. */
  stop(): void {
    this.#cancelDelay();
    this.#waiting = null;
  }

  #catchUp(): void {
    const waiting = this.#waiting ?? [];
    const goOn = this.#goOn;
    this.#waiting = null;
    this.#waitingBytes = 0;
    this.#goOn = null;
    // One of them may be a delay of its own: those behind it queue up once more.
    for (const { act, bytes } of waiting) this.inTurn(act, bytes);
    goOn?.();
  }

  #waitFor(to: Socket): void {
    if (this.#full.has(to)) return;
    this.#full.add(to);
    const goOn = this.#holdUp();
    const done = () => {
      to.off("drain", done);
      to.off("close", done);
      this.#full.delete(to);
      goOn();
    };
    to.on("drain", done);
    to.on("close", done);
  }

  /** Stops reading from the sender; returns what ends that, to be called once. */
  #holdUp(): () => void {
    if (this.#heldUp++ === 0) this.#from?.pause();
    return () => {
      if (--this.#heldUp === 0) this.#from?.resume();
    };
  }

  #read(chunk: Buffer): void {
    const { onFrame, onUnread } = this.#handlers;
    if (this.#transparent || onFrame === null) {
      onUnread(chunk);
      return;
    }
    this.#reader.push(chunk);
    for (let packet = this.#next(); packet !== null; packet = this.#next()) {
      onFrame(concat(u32(packet.length), packet));
    }
    if (this.#transparent) onUnread(this.#reader.rest());
  }

  /** The next whole packet; null where there is none, or where the stream is not made of frames. */
  #next(): Uint8Array | null {
    try {
      return this.#reader.next(MAX_FRAME);
    } catch {
      this.#transparent = true;
      return null;
    }
  }

  #end(how: EndOfStream): void {
    if (this.#ended === how || this.#ended === "rst") return;
    this.#ended = how;
    // A frame that was cut short goes on as far as it came.
    if (this.#reader.buffered > 0) this.#handlers.onUnread(this.#reader.rest());
    this.#handlers.onEnd(how);
  }
}
