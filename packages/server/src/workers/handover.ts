import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { Arrival } from "../door.ts";

/** What goes with a connection that is handed over from process to process. */
export interface Handover {
  readonly type: "connection";
  readonly arrival: Arrival;
}

/** Hands connections over to a worker. Node.js sends the next handle when the worker has taken the one before. */
export class HandoverQueue {
  readonly #child: ChildProcess;
  /** Not on their way yet, or about to be. */
  readonly #waiting = new Set<Socket>();

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param onLost the connection is closed: the worker is gone */
  give(socket: Socket, arrival: Arrival, onLost: () => void): void {
    const message: Handover = { type: "connection", arrival };
    this.#waiting.add(socket);
    socket.on("error", () => {});
    this.#child.send(message, socket, {}, (error) => {
      if (!this.#waiting.delete(socket) || error === null) return;
      socket.destroy();
      onLost();
    });
  }

  /** The worker is gone: closes what it has not got. */
  clear(): void {
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
  }
}
