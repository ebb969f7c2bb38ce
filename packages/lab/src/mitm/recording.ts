import { performance } from "node:perf_hooks";
import type { Direction } from "@pawl/protocol";
import { entryLine, headLine, readEntry, readHead } from "./lines.ts";
import type { ObservedFrame } from "./observed.ts";

/** Who is at an end of a connection. */
export type Party = "victim" | "attacker";
export type Side = "client" | "server";
export type EndOfStream = "fin" | "rst";

/** What happened at a man in the middle, in order. `at`: milliseconds since the recording began. */
export type Entry =
  | {
      readonly kind: "open";
      readonly at: number;
      readonly connection: number;
      readonly client: Party;
      readonly server: Party;
      /** The attacker's own port towards the server, null where he plays the server. */
      readonly port: number | null;
    }
  /** A frame as its sender sent it, and what was done with it. */
  | ({ readonly kind: "seen"; readonly at: number; readonly did: string } & ObservedFrame)
  /** Bytes as they went on to the receiver. `of`: the frame that they were, null where they are the attacker's own. */
  | {
      readonly kind: "sent";
      readonly at: number;
      readonly connection: number;
      readonly direction: Direction;
      readonly bytes: Uint8Array;
      readonly of: number | null;
      /** Null: as they came. */
      readonly note: string | null;
    }
  /** Bytes that are no frame, and passed as they came. */
  | {
      readonly kind: "unread";
      readonly at: number;
      readonly connection: number;
      readonly direction: Direction;
      readonly bytes: Uint8Array;
    }
  /**
   * By a victim: `side` has ended its stream, and the man in the middle ends his own on the other side at once, unless the end
   * `waits` behind what is delayed. By the attacker: he ended his stream towards `side`; on a connection that he opened
   * himself `side` is his own.
   */
  | {
      readonly kind: "end";
      readonly at: number;
      readonly connection: number;
      readonly side: Side;
      readonly how: EndOfStream;
      readonly by: Party;
      readonly waits?: boolean;
    }
  /** What somebody says of it: an event of the server, an error of a client, a step of the attacker. */
  | { readonly kind: "note"; readonly at: number; readonly connection: number | null; readonly text: string };

type WithoutTime<E> = E extends Entry ? Omit<E, "at"> : never;

/** Bytes, times and ends of the connections of one attack, in both directions. Never a key: it has none. */
export class Recording {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly #entries: Entry[] = [];
  readonly #listeners = new Set<(entry: Entry) => void>();
  readonly #began = performance.now();
  #connections = 0;

  constructor(startedAt = Date.now()) {
    this.startedAt = startedAt;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** The number of a new connection. */
  connection(): number {
    return ++this.#connections;
  }

  add(entry: WithoutTime<Entry>): void {
    const whole = { ...entry, at: performance.now() - this.#began } as Entry;
    this.#entries.push(whole);
    for (const listener of [...this.#listeners]) listener(whole);
  }

  note(text: string, connection: number | null = null): void {
    this.add({ kind: "note", connection, text });
  }

  /** Returns what ends the subscription. */
  onEntry(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Frames as their senders sent them. */
  frames(of: { readonly connection?: number; readonly direction?: Direction } = {}): ObservedFrame[] {
    return this.#entries.flatMap((entry) =>
      entry.kind === "seen" &&
      (of.connection ?? entry.connection) === entry.connection &&
      (of.direction ?? entry.direction) === entry.direction
        ? [entry]
        : [],
    );
  }

  /** Text lines without their line feeds, for a file. */
  toLines(): string[] {
    return [headLine(this.startedAt), ...this.#entries.map(entryLine)];
  }

  /** @throws SyntaxError where a line is not one of `toLines`; it says which */
  static fromLines(lines: Iterable<string>): Recording {
    let recording: Recording | null = null;
    let number = 0;
    for (const line of lines) {
      number++;
      if (line.trim() === "") continue;
      try {
        if (recording === null) recording = new Recording(readHead(line));
        else recording.#put(readEntry(line));
      } catch (error) {
        throw new SyntaxError(`line ${number}: ${error instanceof Error ? error.message : error}`);
      }
    }
    if (recording === null) throw new SyntaxError("a recording without a head");
    return recording;
  }

  #put(entry: Entry): void {
    this.#entries.push(entry);
    this.#connections = Math.max(this.#connections, entry.connection ?? 0);
  }
}
