import { performance } from "node:perf_hooks";
import type { ObservedFrame } from "./observed.ts";
import type { EndOfStream, Entry, Recording, Side } from "./recording.ts";

/** What one side of a connection was seen to do, since somebody began to look. */
export interface Reaction {
  readonly side: Side;
  readonly frames: readonly ObservedFrame[];
  /** All that it sent, frames or not. */
  readonly bytes: number;
  /** How it ended its stream; null: it did not. */
  readonly ended: EndOfStream | null;
  /** Until it ended, or until nobody looked any more, milliseconds. */
  readonly ms: number;
}

/** A refusal comes within milliseconds; on a machine that is busy it may take longer. */
const WITHIN_MS = 3_000;

/** Looks at one side of a connection, from now on. */
export class Watch {
  readonly #recording: Recording;
  readonly #connection: number;
  readonly #side: Side;
  readonly #from: number;
  readonly #since = performance.now();

  /** @param skip entries that are still to come, and do not count */
  constructor(recording: Recording, connection: number, side: Side, skip = 0) {
    this.#recording = recording;
    this.#connection = connection;
    this.#side = side;
    this.#from = recording.entries.length + skip;
  }

  /** For programs: looks at who sent the frame at hand, which is written down when they have decided on it. */
  static behind({ connection, direction }: ObservedFrame, recording: Recording): Watch {
    return new Watch(recording, connection, direction === "c2s" ? "client" : "server", 1);
  }

  /** Resolves when the side has ended its stream, or after `within` milliseconds. */
  ended(within = WITHIN_MS): Promise<Reaction> {
    return this.#until(({ ended }) => ended !== null, within);
  }

  /** Resolves when it has sent so many frames, has ended its stream, or after `within` milliseconds. */
  frames(count: number, within = WITHIN_MS): Promise<Reaction> {
    return this.#until(({ frames, ended }) => frames.length >= count || ended !== null, within);
  }

  get now(): Reaction {
    const mine = this.#recording.entries.slice(this.#from).filter((entry) => this.#concerns(entry));
    const frames = mine.flatMap((entry) => (entry.kind === "seen" ? [entry] : []));
    const end = mine.find((entry) => entry.kind === "end");
    let bytes = 0;
    for (const entry of mine)
      if (entry.kind === "seen" || entry.kind === "unread") bytes += entry.bytes.length;
    return {
      side: this.#side,
      frames,
      bytes,
      ended: end?.kind === "end" ? end.how : null,
      ms: performance.now() - this.#since,
    };
  }

  #concerns(entry: Entry): boolean {
    if (entry.connection !== this.#connection) return false;
    const direction = this.#side === "server" ? "s2c" : "c2s";
    if (entry.kind === "seen" || entry.kind === "unread") return entry.direction === direction;
    return entry.kind === "end" && entry.side === this.#side && entry.by === "victim";
  }

  #until(enough: (reaction: Reaction) => boolean, within: number): Promise<Reaction> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        stop();
        resolve(this.now);
      };
      const stop = this.#recording.onEntry(() => {
        if (enough(this.now)) finish();
      });
      const timer = setTimeout(finish, within);
      if (enough(this.now)) finish();
    });
  }
}

/** In words. */
export function describeReaction({ side, frames, bytes, ended, ms }: Reaction): string {
  const who = side === "server" ? "the server" : "the client";
  const opcodes = frames.map(({ header }) => header?.opcode ?? "a frame").join(", ");
  const said = bytes === 0 ? "not a byte" : frames.length === 0 ? `${bytes} bytes` : opcodes;
  const end =
    ended === null ? `did not close within ${Math.round(ms)} ms` : `closed (${ended.toUpperCase()})`;
  return `${who} sent ${said} and ${end}`;
}
