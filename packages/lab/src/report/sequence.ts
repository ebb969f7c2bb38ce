import type { Direction } from "@pawl/protocol";
import type { Entry, Party, Recording, Side } from "../mitm/index.ts";
import { checkOf } from "./checks.ts";
import { labelOf, startOf } from "./label.ts";
import type { Lane, NoteRow, PacketRow, RefusalRow, Row, Sequence } from "./rows.ts";

type EntryOf<K extends Entry["kind"]> = Extract<Entry, { kind: K }>;
type Ends = Readonly<Record<Side, Party>>;

/** Where nobody said who is at its ends, the attacker is between them. */
const BETWEEN: Ends = { client: "victim", server: "victim" };
const SIDES: Readonly<Record<Direction, readonly [Side, Side]>> = {
  c2s: ["client", "server"],
  s2c: ["server", "client"],
};

/**
 * What happened, as rows of a diagram. What came and went on at once is one row; everything else is a row of its own, in
 * the order in which it was recorded.
 * @param refusedBy the class of the error that the victim named, shown even where no note tells of it
 */
export function sequenceOf(
  { entries }: Pick<Recording, "entries">,
  refusedBy: string | null = null,
): Sequence {
  const reader = new Reader(entries);
  const rows = reader.rows();
  const named = rows.some((row) => row.kind === "refusal" && row.error === refusedBy);
  if (refusedBy !== null && !named) rows.push(reader.refusal(refusedBy));
  return { lanes: reader.lanes, rows, connections: reader.connections };
}

class Reader {
  readonly lanes: readonly Lane[];
  readonly #entries: readonly Entry[];
  readonly #ends = new Map<number, Ends>();
  /** Frames by connection and index, as their senders sent them. */
  readonly #seen = new Map<string, Uint8Array>();
  /** Those of them that went on, in whatever form. */
  readonly #wentOn = new Set<string>();
  /** For each entry the next one of its connection. */
  readonly #next = new Map<Entry, Entry>();

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
    const last = new Map<number, Entry>();
    for (const entry of entries) {
      if (entry.connection === null) continue;
      const before = last.get(entry.connection);
      if (before !== undefined) this.#next.set(before, entry);
      last.set(entry.connection, entry);
      if (entry.kind === "open") this.#ends.set(entry.connection, entry);
      else if (!this.#ends.has(entry.connection)) this.#ends.set(entry.connection, BETWEEN);
      if (entry.kind === "seen") this.#seen.set(keyOf(entry.connection, entry.index), entry.bytes);
      if (entry.kind === "sent" && entry.of !== null) this.#wentOn.add(keyOf(entry.connection, entry.of));
    }
    const has = (side: Side) => [...this.#ends.values()].some((ends) => ends[side] === "victim");
    const lanes: Lane[] = ["attacker"];
    if (has("client") || this.#ends.size === 0) lanes.unshift("client");
    if (has("server") || this.#ends.size === 0) lanes.push("server");
    this.lanes = lanes;
  }

  get connections(): number {
    return this.#ends.size;
  }

  rows(): Row[] {
    const rows: Row[] = [];
    const opened = new Set<number>();
    const merged = new Set<Entry>();
    for (const entry of this.#entries) {
      if (entry.connection !== null && !opened.has(entry.connection)) {
        // A first frame may have come before the attacker had reached the server.
        opened.add(entry.connection);
        rows.push(...this.#opening(entry.connection, entry.at));
      }
      if (entry.kind === "seen") rows.push(this.#frame(entry, merged));
      else if (entry.kind === "sent" && !merged.has(entry)) rows.push(...this.#bytes(entry));
      else if (entry.kind === "unread") rows.push(this.#unread(entry));
      else if (entry.kind === "end") rows.push(this.#end(entry));
      else if (entry.kind === "note") rows.push(this.#note(entry));
    }
    return rows;
  }

  /** Of the victim, where there is one only. */
  refusal(error: string): RefusalRow {
    const victims = this.lanes.filter((lane) => lane !== "attacker");
    return {
      kind: "refusal",
      connection: null,
      lane: victims.length === 1 ? (victims[0] ?? null) : null,
      error,
    };
  }

  /** Said only where it is not plain: one connection through the attacker needs no words. */
  #opening(connection: number, at: number): NoteRow[] {
    const { client, server } = this.#ends.get(connection) ?? BETWEEN;
    const between = client === "victim" && server === "victim";
    if (between && this.#ends.size === 1) return [];
    const text = between
      ? "the client connects to the server, through the attacker"
      : client === "attacker"
        ? "the attacker connects to the server himself"
        : "the client connects to the attacker, who plays the server";
    return [{ kind: "note", at, connection, text }];
  }

  #frame(entry: EntryOf<"seen">, merged: Set<Entry>): PacketRow {
    const { at, connection, direction, index, bytes, did } = entry;
    const [from, to] = this.#lanesOf(connection, direction);
    const row = { kind: "packet", at, connection, frame: index, from, to, change: null } as const;
    const sent = labelOf(bytes);
    if (to === "attacker") return { ...row, fate: "received", sent, wentOn: null, note: null };
    const next = this.#next.get(entry);
    if (next?.kind === "sent" && next.of === index && next.direction === direction) {
      const same = Buffer.compare(next.bytes, bytes) === 0;
      // As it came, but with a note: it went on later.
      if (!same || next.note === null) merged.add(next);
      if (same && next.note === null) return { ...row, fate: "passed", sent, wentOn: null, note: null };
      if (!same) {
        const change = { before: bytes, after: next.bytes };
        return { ...row, fate: "altered", sent, wentOn: labelOf(next.bytes), note: next.note, change };
      }
    }
    const fate = this.#wentOn.has(keyOf(connection, index)) ? "kept" : "stopped";
    return { ...row, fate, sent, wentOn: null, note: did };
  }

  /** What the attacker sends apart from the frame at hand. */
  #bytes({ at, connection, direction, bytes, of, note }: EntryOf<"sent">): PacketRow[] {
    const [, to] = this.#lanesOf(connection, direction);
    // Where he is at that end himself, nothing goes on.
    if (to === "attacker") return [];
    const before = of === null ? undefined : this.#seen.get(keyOf(connection, of));
    const same = before !== undefined && Buffer.compare(before, bytes) === 0;
    const row = { kind: "packet", at, connection, frame: of, from: "attacker", to, note } as const;
    const common = { ...row, sent: null, wentOn: labelOf(bytes) };
    if (before === undefined) return [{ ...common, fate: "injected", change: null }];
    if (same) return [{ ...common, fate: "late", change: null }];
    return [{ ...common, fate: "altered", change: { before, after: bytes } }];
  }

  #unread({ at, connection, direction, bytes }: EntryOf<"unread">): PacketRow {
    const [from, to] = this.#lanesOf(connection, direction);
    const sent = { title: "bytes that are no frame", detail: startOf(bytes) };
    const common = { kind: "packet", at, connection, frame: null, from, to, sent } as const;
    const fate = to === "attacker" ? "received" : "unread";
    return { ...common, fate, wentOn: null, note: null, change: null };
  }

  #end({ at, connection, side, how, by }: EntryOf<"end">): Row {
    const common = { kind: "end", at, connection, how, by } as const;
    const ends = this.#ends.get(connection) ?? BETWEEN;
    const other: Side = side === "client" ? "server" : "client";
    if (by === "victim") return { ...common, from: side, to: laneOf(ends, other) };
    // On a connection of his own he ends his stream; on one through him, the victim's.
    return { ...common, from: "attacker", to: ends[side] === "attacker" ? other : side };
  }

  #note({ at, connection, text }: EntryOf<"note">): Row {
    const [, side, error] = /^the (server|client): (\w+)$/.exec(text) ?? [];
    const lane = this.lanes.find((one) => one === side);
    if (lane === undefined || error === undefined || checkOf(error) === undefined) {
      return { kind: "note", at, connection, text };
    }
    return { kind: "refusal", connection, lane, error };
  }

  #lanesOf(connection: number, direction: Direction): readonly [Lane, Lane] {
    const ends = this.#ends.get(connection) ?? BETWEEN;
    const [from, to] = SIDES[direction];
    return [laneOf(ends, from), laneOf(ends, to)];
  }
}

function laneOf(ends: Ends, side: Side): Lane {
  return ends[side] === "victim" ? side : "attacker";
}

function keyOf(connection: number, index: number): string {
  return `${connection}/${index}`;
}
