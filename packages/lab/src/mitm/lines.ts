import { fromHex, toHex } from "@pawl/protocol";
import { observe } from "./observed.ts";
import type { Entry } from "./recording.ts";

/** A recording as text: a head, then one JSON object a line for each entry, bytes in hexadecimal digits. */

const FORMAT = 1;

type Check = (value: unknown) => boolean;

const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 1;
const text: Check = (value) => typeof value === "string";
const hex: Check = (value) => typeof value === "string" && /^(?:[0-9a-f]{2})*$/.test(value);
const time: Check = (value) => typeof value === "number" && value >= 0;
const port: Check = (value) => count(value) && Number(value) <= 65_535;
const direction = oneOf("c2s", "s2c");
const party = oneOf("victim", "attacker");

/** What each kind of entry has to have, beside its kind. */
const FIELDS: Readonly<Record<Entry["kind"], Readonly<Record<string, Check>>>> = {
  open: { at: time, connection: count, client: party, server: party, port: orNull(port) },
  seen: { at: time, connection: count, index: count, direction, bytes: hex, did: text },
  sent: { at: time, connection: count, direction, bytes: hex, of: orNull(count), note: orNull(text) },
  unread: { at: time, connection: count, direction, bytes: hex },
  end: {
    at: time,
    connection: count,
    side: oneOf("client", "server"),
    how: oneOf("fin", "rst"),
    by: party,
    waits: oneOf(undefined, true),
  },
  note: { at: time, connection: orNull(count), text },
};

/** @param startedAt milliseconds since 1970 */
export function headLine(startedAt: number): string {
  return JSON.stringify({ recording: FORMAT, startedAt: new Date(startedAt).toISOString() });
}

/** One entry as a line, without its line feed. */
export function entryLine(entry: Entry): string {
  // The header of a frame is in its bytes.
  const rest = entry.kind === "seen" ? { ...entry, header: undefined } : entry;
  return JSON.stringify("bytes" in rest ? { ...rest, bytes: toHex(rest.bytes) } : rest);
}

/** When the recording began. @throws SyntaxError */
export function readHead(line: string): number {
  const { recording, startedAt } = readObject(line);
  if (recording !== FORMAT) throw new SyntaxError("not the head of a recording");
  const ms = typeof startedAt === "string" ? Date.parse(startedAt) : Number.NaN;
  if (Number.isNaN(ms)) throw new SyntaxError("the head of a recording without a time");
  return ms;
}

/** @throws SyntaxError */
export function readEntry(line: string): Entry {
  const value = readObject(line);
  const kind = (Object.keys(FIELDS) as Entry["kind"][]).find((known) => known === value.kind);
  if (kind === undefined) throw new SyntaxError("not an entry of a recording");
  for (const [name, check] of Object.entries(FIELDS[kind])) {
    if (!check(value[name])) throw new SyntaxError(`${kind}: ${name} is missing or wrong`);
  }
  // Each field of its kind has been checked.
  const entry = value as unknown as Entry;
  if (!("bytes" in entry)) return entry;
  const bytes = fromHex(String(value.bytes));
  if (entry.kind !== "seen") return { ...entry, bytes };
  return { ...entry, ...observe(entry.connection, entry.index, entry.direction, bytes) };
}

function readObject(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null) throw new SyntaxError("not an object");
  return value as Record<string, unknown>;
}
