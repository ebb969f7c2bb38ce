import type { EndOfStream, Party } from "../mitm/index.ts";
import type { PacketLabel } from "./label.ts";

/** A life line. */
export type Lane = "client" | "attacker" | "server";

/** What became of bytes at the attacker. */
export type Fate =
  /** They went through as they came. */
  | "passed"
  /** Others went on in their place. */
  | "altered"
  /** They went no further. */
  | "stopped"
  /** Not yet: a `late` row follows. */
  | "kept"
  /** As they came, but later. */
  | "late"
  /** The attacker's own. */
  | "injected"
  /** They were for the attacker, who is at that end himself. */
  | "received"
  /** No frame: they went through unread. */
  | "unread";

/** An arrow: on its first leg what the sender sent, on its second what went on. */
export interface PacketRow {
  readonly kind: "packet";
  readonly at: number;
  readonly connection: number;
  readonly fate: Fate;
  /** Its number among the connection's frames; null for bytes of the attacker's own, and for what is no frame. */
  readonly frame: number | null;
  readonly from: Lane;
  readonly to: Lane;
  /** Null where the attacker is its sender. */
  readonly sent: PacketLabel | null;
  /** Null where it went no further, or went on as it came. */
  readonly wentOn: PacketLabel | null;
  /** What the attacker did, in his words. */
  readonly note: string | null;
  /** Where the bytes that went on are not those that came. */
  readonly change: { readonly before: Uint8Array; readonly after: Uint8Array } | null;
}

/** A stream's end. */
export interface EndRow {
  readonly kind: "end";
  readonly at: number;
  readonly connection: number;
  readonly from: Lane;
  readonly to: Lane;
  readonly how: EndOfStream;
  readonly by: Party;
}

/** The check that a packet did not pass. */
export interface RefusalRow {
  readonly kind: "refusal";
  readonly connection: number | null;
  /** Of who made it; null where that was not recorded. */
  readonly lane: Lane | null;
  readonly error: string;
}

/** Something that is said across the life lines: who connects, what somebody notes. */
export interface NoteRow {
  readonly kind: "note";
  readonly at: number;
  readonly connection: number | null;
  readonly text: string;
}

/** Rows that are left out. */
export interface FoldRow {
  readonly kind: "fold";
  readonly rows: number;
  readonly text: string;
}

export type Row = PacketRow | EndRow | RefusalRow | NoteRow | FoldRow;

export interface Sequence {
  /** From left to right. */
  readonly lanes: readonly Lane[];
  readonly rows: readonly Row[];
  readonly connections: number;
}
