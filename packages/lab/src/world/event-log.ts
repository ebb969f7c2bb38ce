import { setTimeout as sleep } from "node:timers/promises";
import type { EventOf, PawlServer, PawlServerEvent, PawlServerEventType } from "@pawl/server";

/** What a server of ours says: only to be compared with what was seen from outside, never to judge by. */
export class EventLog {
  readonly #events: PawlServerEvent[] = [];
  /** The server's number of the connection that came from a port. */
  readonly #connections = new Map<number, number>();
  readonly #end: () => void;

  constructor(server: PawlServer) {
    this.#end = server.events.onAny((event) => {
      if (event.type === "connection") this.#connections.set(event.remotePort, event.connection);
      // The honest clients' traffic would be all of it.
      if (event.type !== "message" && event.type !== "round") this.#events.push(event);
    });
  }

  /** Events of one type so far. */
  all<T extends PawlServerEventType>(type: T): EventOf<T>[] {
    return this.#events.filter((event): event is EventOf<T> => event.type === type);
  }

  /** Of the connection that came from this port. @param within milliseconds to wait for it @returns null: there was none */
  async ofPort<T extends PawlServerEventType>(
    type: T,
    port: number,
    within = 500,
  ): Promise<EventOf<T> | null> {
    for (const until = Date.now() + within; ; ) {
      const connection = this.#connections.get(port);
      const found = this.all(type).findLast((event) => connection !== undefined && isOf(event, connection));
      if (found !== undefined || Date.now() > until) return found ?? null;
      await sleep(5);
    }
  }

  /** The first that matches, from now or from before. @returns null after `within` milliseconds */
  async find<T extends PawlServerEventType>(
    type: T,
    matches: (event: EventOf<T>) => boolean,
    within = 500,
  ): Promise<EventOf<T> | null> {
    for (const until = Date.now() + within; ; ) {
      const found = this.all(type).find(matches);
      if (found !== undefined || Date.now() > until) return found ?? null;
      await sleep(5);
    }
  }

  close(): void {
    this.#end();
  }
}

function isOf(event: PawlServerEvent, connection: number): boolean {
  return "connection" in event && event.connection === connection;
}
