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
  readonly #waiting = new Map<number, Socket>();

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param onLost the connection is closed: the worker is gone */
  give(socket: Socket, arrival: Arrival, onLost: () => void): void {
    const message: Handover = { type: "connection", arrival };
    this.#waiting.set(arrival.id, socket);
    socket.on("error", () => {});
    this.#child.send(message, socket, {}, (error) => {
      if (!this.#waiting.delete(arrival.id) || error === null) return;
      socket.destroy();
      onLost();
    });
  }

  /** Closes a connection that the worker has not got: it will be told of it without a socket. */
  drop(id: number): void {
    this.#waiting.get(id)?.destroy();
  }

  /** The worker is gone: closes what it has not got. */
  clear(): void {
    for (const socket of this.#waiting.values()) socket.destroy();
    this.#waiting.clear();
  }
}
