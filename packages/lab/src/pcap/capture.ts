import type { Direction } from "@pawl/protocol";
import type { Entry, Side } from "../mitm/index.ts";
import { Conversation, type Emit } from "./conversation.ts";
import type { Ports } from "./ports.ts";

/** Who is who in a capture: three addresses of loopback, whatever the real ones were. */
export const CLIENT = [127, 0, 0, 1] as const;
export const ATTACKER = [127, 0, 0, 2] as const;
export const SERVER = [127, 0, 0, 3] as const;
/** Where servers listen, and the attacker where he is taken for one. */
export const SERVER_PORT = 7433;

type EntryOf<Kind extends Entry["kind"]> = Extract<Entry, { kind: Kind }>;

const SENDER: Readonly<Record<Direction, Side>> = { c2s: "client", s2c: "server" };
const OTHER: Readonly<Record<Side, Side>> = { client: "server", server: "client" };

/** The two connections that one through the attacker is: by the victim at its end. */
interface Legs {
  /** Null: the attacker is the client himself. */
  readonly client: Conversation | null;
  /** Null: the attacker is the server himself, or could not reach it. */
  readonly server: Conversation | null;
}

/** Turns the entries of one recording into packets, as they come. */
export class Capture {
  readonly #ports: Readonly<Record<Side, Ports>>;
  readonly #emit: Emit;
  readonly #legs = new Map<number, Legs>();
  /** For the next packet. */
  #comments: string[] = [];

  /** @param ports of the clients, and of the attacker towards the servers */
  constructor(ports: Readonly<Record<Side, Ports>>, emit: Emit) {
    this.#ports = ports;
    this.#emit = (packet, comments) => {
      emit(packet, [...comments, ...this.#comments]);
      this.#comments = [];
    };
  }

  /** @param notes that belong to it; a note by itself goes with the next packet */
  add(entry: Entry, notes: readonly string[] = []): void {
    this.#comments.push(...notes);
    if (entry.kind === "note") this.#comments.push(entry.text);
    else if (entry.kind === "open") this.#open(entry);
    else {
      const legs = this.#legs.get(entry.connection);
      if (legs !== undefined) this.#put(legs, entry);
    }
  }

  #open({ connection, client, server, port }: EntryOf<"open">): void {
    const attacker = (at: number) => ({ address: ATTACKER, port: at });
    const legs: Legs = {
      client:
        client === "attacker"
          ? null
          : new Conversation(
              { address: CLIENT, port: this.#ports.client.take() },
              attacker(SERVER_PORT),
              this.#emit,
            ),
      server:
        server === "attacker" || port === null
          ? null
          : new Conversation(
              attacker(this.#ports.server.take(port)),
              { address: SERVER, port: SERVER_PORT },
              this.#emit,
            ),
    };
    this.#legs.set(connection, legs);
    legs.client?.open(["the client connects to the attacker"]);
    legs.server?.open(["the attacker connects to the server"]);
  }

  #put(legs: Legs, entry: Exclude<Entry, EntryOf<"open" | "note">>): void {
    switch (entry.kind) {
      case "seen": {
        const isPlain = entry.did === "passed" || entry.did === "received";
        const side = SENDER[entry.direction];
        legs[side]?.send(side, entry.bytes, isPlain ? [] : [entry.did]);
        return;
      }
      case "sent": {
        const what = entry.of === null ? `injected: ${entry.note}` : entry.note;
        const side = SENDER[entry.direction];
        legs[OTHER[side]]?.send(side, entry.bytes, what === null ? [] : [what]);
        return;
      }
      case "unread": {
        const side = SENDER[entry.direction];
        legs[side]?.send(side, entry.bytes, ["no frame"]);
        legs[OTHER[side]]?.send(side, entry.bytes);
        return;
      }
      case "end":
        this.#end(legs, entry);
        return;
      default:
        entry satisfies never;
    }
  }

  #end(legs: Legs, { side, how, by, waits }: EntryOf<"end">): void {
    const comment = `the attacker ${how === "fin" ? "ends the stream" : "resets the connection"}`;
    if (by === "victim") {
      legs[side]?.end(side, how);
      // The attacker passes it on.
      if (waits !== true) legs[OTHER[side]]?.end(side, how);
    } else if (legs.client === null) {
      legs.server?.end("client", how, [comment]);
    } else {
      // Towards a victim he is the other side.
      legs[side]?.end(OTHER[side], how, [comment]);
    }
  }
}
