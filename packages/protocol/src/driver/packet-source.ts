import type { Socket } from "node:net";
import { FrameError } from "../errors.ts";
import type { EndOfStreamEvent, FrameErrorEvent, PacketEvent } from "../events.ts";
import { FrameReader } from "../wire.ts";
import { onChunk } from "./chunks.ts";

/** What a stream has for a session. */
export type StreamEvent = PacketEvent | FrameErrorEvent | EndOfStreamEvent;

function ignore(): void {}

/** Reads a socket for a session: whole packets, a frame that is too long, and the end, however it comes. */
export class PacketSource {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  #ended = false;
  #closed = false;

  /** @param onInput called when there may be something for `next` */
  constructor(socket: Socket, onInput: () => void) {
    this.#socket = socket;
    onChunk(socket, (chunk) => {
      if (this.#closed) return;
      this.#reader.push(chunk);
      onInput();
    });
    const ended = () => {
      this.#ended = true;
      onInput();
    };
    socket.on("end", ended);
    socket.on("close", ended);
    // An error is followed by `close`; to a session every end of the stream is the same.
    socket.on("error", ignore);
  }

  /** Bytes that wait to become a packet. */
  get buffered(): number {
    return this.#reader.buffered;
  }

  /** @param limit the longest packet that the session allows now; null while nothing is there */
  next(limit: number): StreamEvent | null {
    try {
      const packet = this.#reader.next(limit);
      if (packet !== null) return { type: "packet", packet };
    } catch (error) {
      if (error instanceof FrameError) return { type: "frame-error", error };
      throw error;
    }
    return this.#ended ? { type: "end-of-stream" } : null;
  }

  /** Reads on, or not: while a session awaits an answer nothing is read from its connection (section 4.5.4). */
  flow(reading: boolean): void {
    if (!reading) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Forgets what is buffered, and whatever is still read. */
  close(): void {
    this.#closed = true;
    this.#reader.clear();
  }
}
