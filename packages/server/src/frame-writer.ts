import type { Socket } from "node:net";
import type { CryptoProvider } from "@pawl/protocol";
import { type Clock, sendFrame } from "@pawl/protocol/driver";

export interface QueueLimits {
  readonly queuedBytes: number;
  readonly queuedMs: number;
}

/** Writes to a socket, and notices a peer that does not read: too much waits for it, or it waits for too long. */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #limits: QueueLimits;
  readonly #crypto: CryptoProvider;
  readonly #onSlow: (queuedBytes: number) => void;
  #cancel: (() => void) | null = null;

  constructor(
    socket: Socket,
    clock: Clock,
    limits: QueueLimits,
    crypto: CryptoProvider,
    onSlow: (queuedBytes: number) => void,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#limits = limits;
    this.#crypto = crypto;
    this.#onSlow = onSlow;
  }

  write(frame: Uint8Array): void {
    const socket = this.#socket;
    if (sendFrame(socket, frame, this.#crypto)) return;
    if (socket.writableLength > this.#limits.queuedBytes) this.#onSlow(socket.writableLength);
    else if (this.#cancel === null) {
      // Most connections never come here, so they have no listener.
      this.#cancel = this.#clock.after(this.#limits.queuedMs, () => this.#onSlow(socket.writableLength));
      socket.once("drain", () => this.stop());
    }
  }

  /** What `work` writes leaves in one go. */
  together(work: () => void): void {
    this.#socket.cork();
    try {
      work();
    } finally {
      this.#socket.uncork();
    }
  }

  /** Ends the watch: the connection is over, or the peer has read. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
