import { type Entry, headerOf } from "@pawl/lab";
import { type Header, LENGTH_BYTES } from "@pawl/protocol";

/** What happened at the man in the middle, for people and for machines. */

const ARROW = { c2s: "→", s2c: "←" } as const;
/** As wide as the longest opcode, and the longest name of a suite. */
const [OPCODE_WIDTH, SUITE_WIDTH] = [9, 10];

/** How an entry is shown: what nobody touched, what the attacker did, or what is said about it. */
export type Tone = "plain" | "done" | "aside";

/** One line for people: time, connection, direction, header, length, and what was done. */
export function lineOfEntry(entry: Entry, startedAt: number): { readonly text: string; readonly tone: Tone } {
  const time = timeOf(entry, startedAt).slice("2026-11-25T".length, -1);
  const begin = `${time}  ${(entry.connection === null ? "" : `#${entry.connection}`).padEnd(4)}`;
  const aside = (words: string) => ({ text: `${begin} ${words}`, tone: "aside" as const });
  switch (entry.kind) {
    case "open":
      return aside(openingOf(entry));
    case "seen": {
      const text = `${begin} ${ARROW[entry.direction]} ${describe(entry.header, entry.bytes.length)}  ${entry.did}`;
      return { text, tone: entry.did === "passed" || entry.did === "received" ? "plain" : "done" };
    }
    case "sent": {
      const header = headerOf(entry.bytes.subarray(LENGTH_BYTES));
      const what = entry.of === null ? `injected: ${entry.note}` : `sent: ${entry.note}`;
      const text = `${begin} ${ARROW[entry.direction]} ${describe(header, entry.bytes.length)}  ${what}`;
      return { text, tone: "done" };
    }
    case "unread":
      return aside(`${ARROW[entry.direction]} ${entry.bytes.length} bytes that are no frame`);
    case "end": {
      const how = entry.how === "fin" ? "ended its stream (FIN)" : "reset the connection (RST)";
      if (entry.by === "victim") return aside(`the ${entry.side} ${how}`);
      const own = entry.how === "fin" ? "ended the stream (FIN)" : "reset the connection (RST)";
      return aside(`the attacker ${own} to the ${entry.side}`);
    }
    case "note":
      return aside(entry.text);
    default:
      return entry satisfies never;
  }
}

/** One object for machines. Bytes are in the recording. */
export function objectOfEntry(entry: Entry, startedAt: number): Record<string, unknown> {
  const { kind: type, at: _at, ...fields } = entry;
  const common = { type, time: timeOf(entry, startedAt) };
  if (!("bytes" in entry)) return { ...common, ...fields };
  const { bytes, direction, connection } = entry;
  const header = entry.kind === "unread" ? null : headerOf(bytes.subarray(LENGTH_BYTES));
  const { opcode = null, clientId = null, epoch = null, round = null } = header ?? {};
  const suite = header?.suite.name ?? null;
  const where = { ...common, connection, direction, length: bytes.length };
  if (entry.kind === "unread") return where;
  const frame = { ...where, opcode, suite, clientId, epoch, round };
  return entry.kind === "seen"
    ? { ...frame, frame: entry.index, did: entry.did }
    : { ...frame, frame: entry.of, did: entry.note };
}

/** A frame that went on as it came says nothing that the line above it did not. */
export function isSilent(entry: Entry): boolean {
  return entry.kind === "sent" && entry.note === null;
}

function openingOf({ client, server, port }: Extract<Entry, { kind: "open" }>): string {
  if (client === "attacker") return `the attacker has connected to the server, from port ${port}`;
  if (server === "attacker") return "a client has connected; the attacker plays the server";
  return port === null ? "a client has connected" : `a client has connected; the server sees port ${port}`;
}

function describe(header: Header | null, length: number): string {
  const size = `${length} bytes`.padStart(11);
  if (header === null) return `${"no legal header".padEnd(OPCODE_WIDTH + SUITE_WIDTH + 1)} ${size}`;
  const { opcode, suite, clientId, epoch, round } = header;
  const names = `${opcode.padEnd(OPCODE_WIDTH)} ${suite.name.padEnd(SUITE_WIDTH)}`;
  return `${names} ${size}  client ${clientId}  epoch ${epoch}  round ${round}`;
}

function timeOf({ at }: Entry, startedAt: number): string {
  return new Date(startedAt + at).toISOString();
}
