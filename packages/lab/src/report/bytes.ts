import { LENGTH_BYTES } from "@pawl/protocol";
import { spansOf } from "../mitm/index.ts";

/** A named part of a frame, as it was sent and as it went on. */
export interface BytePart {
  readonly name: string;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** Offsets into the part of the bytes that differ, or that only one of both has. */
  readonly changed: readonly number[];
}

/** Two frames byte by byte, in the parts of the first. What only the second has is a part of its own at the end. */
export function compareFrames(before: Uint8Array, after: Uint8Array): BytePart[] {
  const parts: BytePart[] = [];
  let at = 0;
  const add = (name: string, bytes: number) => {
    if (bytes > 0) parts.push(partOf(name, before, after, at, bytes));
    at += bytes;
  };
  add("length", Math.min(LENGTH_BYTES, before.length));
  for (const span of spansOf(before)) {
    // Too short for its suite: its parts would lie on each other.
    if (LENGTH_BYTES + span.at !== at || at + span.bytes > before.length) break;
    add(span.name, span.bytes);
  }
  add("rest", before.length - at);
  add("added", after.length - before.length);
  return parts;
}

function partOf(name: string, before: Uint8Array, after: Uint8Array, at: number, bytes: number): BytePart {
  const [was, is] = [before.subarray(at, at + bytes), after.subarray(at, at + bytes)];
  const changed: number[] = [];
  for (let i = 0; i < Math.max(was.length, is.length); i++) if (was[i] !== is[i]) changed.push(i);
  return { name, before: was, after: is, changed };
}

/** Unchanged parts in a row, of which there are more than can be shown, as one. */
export interface FoldedParts {
  readonly first: string;
  readonly last: string;
  readonly parts: number;
  readonly bytes: number;
}

/** Leaves out the middle of long runs of unchanged ciphertext. @param keep how many blocks stay at each end of a run */
export function foldParts(parts: readonly BytePart[], keep = 2): (BytePart | FoldedParts)[] {
  const folded: (BytePart | FoldedParts)[] = [];
  let run: BytePart[] = [];
  const close = () => {
    const middle = run.slice(keep, -keep);
    if (middle.length > 1) folded.push(...run.slice(0, keep), summaryOf(middle), ...run.slice(-keep));
    else folded.push(...run);
    run = [];
  };
  for (const part of parts) {
    if (part.changed.length === 0 && part.name.startsWith("ciphertext")) {
      run.push(part);
      continue;
    }
    close();
    folded.push(part);
  }
  close();
  return folded;
}

function summaryOf(parts: readonly BytePart[]): FoldedParts {
  const bytes = parts.reduce((sum, { before }) => sum + before.length, 0);
  return { first: parts[0]?.name ?? "", last: parts.at(-1)?.name ?? "", parts: parts.length, bytes };
}

/** The places of a long part that are shown: around what changed, else its start and end. Null: a gap. */
export function windowOf({ before, after, changed }: BytePart, most = 32): (number | null)[] {
  const length = Math.max(before.length, after.length);
  const all = Array.from({ length }, (_, index) => index);
  if (length <= most) return all;
  const half = most / 2;
  const middle = Math.min(Math.max(changed[0] ?? 0, half), length - half);
  const shown =
    changed.length === 0
      ? [...all.slice(0, half), null, ...all.slice(length - half)]
      : all.slice(middle - half, middle + half);
  const [first, last] = [shown[0] ?? 0, shown.at(-1) ?? 0];
  return [...(first > 0 ? [null] : []), ...shown, ...(last < length - 1 ? [null] : [])];
}
