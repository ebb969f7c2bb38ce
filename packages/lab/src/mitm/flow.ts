import type { Socket } from "node:net";
import { concat, type Direction, FrameReader, u32 } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import type { EndOfStream } from "./recording.ts";

/** Longer than any frame of a peer within its limits; what claims more passes through unread. */
const MAX_FRAME = 64 << 20;

/** What a flow tells the man in the middle. */
export interface FlowHandlers {
  /** A whole frame came, with its length. Null: nobody looks, and all bytes pass as they came. */
  readonly onFrame: ((frame: Uint8Array) => void) | null;
  /** Bytes came that are no frame, and pass. */
  readonly onUnread: (bytes: Uint8Array) => void;
  readonly onEnd: (how: EndOfStream) => void;
}

/** One direction of a connection through the man in the middle: reads frames on one side, writes on the other. */
export class Flow {
  readonly direction: Direction;
  readonly #from: Socket | null;
  readonly #to: Socket | null;
  readonly #clock: Clock;
  readonly #reader = new FrameReader();
  readonly #handlers: FlowHandlers;
  #transparent: boolean;
  #ended = false;
  /** What waits behind a frame that is delayed. */
  #waiting: (() => void)[] | null = null;

  /** @param from, to null where the attacker himself is at that end */
  constructor(
    direction: Direction,
    from: Socket | null,
    to: Socket | null,
    clock: Clock,
    handlers: FlowHandlers,
  ) {
    this.direction = direction;
    this.#from = from;
    this.#to = to;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#transparent = handlers.onFrame === null;
    if (from === null) return;
    from.on("data", (chunk: Buffer) => this.#read(chunk));
    from.on("end", () => this.#end("fin"));
    from.on("error", (error: NodeJS.ErrnoException) =>
      this.#end(error.code === "ECONNRESET" ? "rst" : "fin"),
    );
    from.on("close", () => this.#end("fin"));
  }

  /** Does this now, or when what was delayed before it is through. */
  inTurn(act: () => void): void {
    if (this.#waiting === null) act();
    else this.#waiting.push(act);
  }

  /** What comes next in turn is done so much later. */
  pauseFor(ms: number): void {
    this.inTurn(() => {
      this.#waiting = [];
      this.#clock.after(ms, () => {
        const waiting = this.#waiting ?? [];
        this.#waiting = null;
        // One of them may be a delay of its own: those behind it queue up once more.
        for (const act of waiting) this.inTurn(act);
      });
    });
  }

  write(bytes: Uint8Array): void {
    const [from, to] = [this.#from, this.#to];
    if (to === null || !to.writable || to.write(bytes) || from === null) return;
    from.pause();
    to.once("drain", () => from.resume());
  }

  #read(chunk: Buffer): void {
    const { onFrame, onUnread } = this.#handlers;
    if (this.#transparent || onFrame === null) {
      onUnread(chunk);
      return;
    }
    this.#reader.push(chunk);
    try {
      for (
        let packet = this.#reader.next(MAX_FRAME);
        packet !== null;
        packet = this.#reader.next(MAX_FRAME)
      ) {
        onFrame(concat(u32(packet.length), packet));
      }
    } catch {
      this.#transparent = true;
      onUnread(this.#reader.rest());
    }
  }

  #end(how: EndOfStream): void {
    if (this.#ended) return;
    this.#ended = true;
    // A frame that was cut short goes on as far as it came.
    if (this.#reader.buffered > 0) this.#handlers.onUnread(this.#reader.rest());
    this.#handlers.onEnd(how);
  }
}
