import type { Socket } from "node:net";
import type { Member } from "../commons.ts";
import type { Arrival } from "../door.ts";
import type { OwnCommons } from "../own-commons.ts";

/** A connection that no worker has yet. */
class Waiting implements Member {
  readonly id: number;
  readonly remoteAddress: string;
  readonly limitKey: string;
  readonly worker = null;
  readonly socket: Socket;
  readonly arrival: Arrival;
  readonly #onEnd: () => void;

  constructor(socket: Socket, arrival: Arrival, onEnd: () => void) {
    this.id = arrival.id;
    this.remoteAddress = arrival.remoteAddress;
    this.limitKey = arrival.limitKey;
    this.socket = socket;
    this.arrival = arrival;
    this.#onEnd = onEnd;
  }

  terminate(): void {
    this.abort();
  }

  /** Nobody has read its HELLO. */
  epochMoved(): void {}

  abort(): void {
    this.socket.destroy();
    this.#onEnd();
  }
}

/**
 * Where connections wait that come while the workers start, since the port is taken before that. They are half-open ones like
 * any other: no more wait than may be half-open.
 */
export class WaitingRoom {
  readonly #commons: OwnCommons;
  /** In the order of accept. */
  readonly #waiting = new Set<Waiting>();

  constructor(commons: OwnCommons) {
    this.#commons = commons;
  }

  wait(socket: Socket, arrival: Arrival): void {
    socket.on("error", () => {});
    const member = new Waiting(socket, arrival, () => this.#leave(member));
    this.#waiting.add(member);
    this.#commons.arrived(member);
  }

  /** Somebody takes them. */
  empty(take: (socket: Socket, arrival: Arrival) => void): void {
    for (const member of this.#waiting) {
      this.#leave(member);
      take(member.socket, member.arrival);
    }
  }

  /** Nobody will take them. */
  close(): void {
    for (const member of this.#waiting) member.abort();
  }

  #leave(member: Waiting): void {
    this.#waiting.delete(member);
    this.#commons.ended(member);
  }
}
