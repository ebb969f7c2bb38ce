import { drawSequence } from "./diagram.ts";
import { type Html, html } from "./html.ts";
import type { Row } from "./rows.ts";

const packet = { kind: "packet", connection: 1, change: null } as const;
const label = { title: "OPCODE · round · length", detail: "suite · client · epoch" };

/** One of each sign, explained where it stands. */
const ROWS: readonly Row[] = [
  {
    ...packet,
    at: 0,
    frame: 1,
    from: "client",
    to: "server",
    fate: "passed",
    sent: { title: "a packet, passed as it came", detail: label.detail },
    wentOn: null,
    note: null,
  },
  {
    ...packet,
    at: 1,
    frame: 2,
    from: "client",
    to: "server",
    fate: "altered",
    sent: label,
    wentOn: { title: "altered", detail: "its header, as it went on" },
    note: "what was done; in the bar below, the parts that differ are filled",
    change: { before: sampleFrame(0), after: sampleFrame(1) },
  },
  {
    ...packet,
    at: 2,
    frame: 3,
    from: "server",
    to: "client",
    fate: "stopped",
    sent: label,
    wentOn: null,
    note: "dropped: it went no further",
  },
  {
    ...packet,
    at: 3,
    frame: 4,
    from: "client",
    to: "server",
    fate: "kept",
    sent: label,
    wentOn: null,
    note: "held, or delayed …",
  },
  {
    ...packet,
    at: 9,
    frame: 4,
    from: "attacker",
    to: "server",
    fate: "late",
    sent: null,
    wentOn: label,
    note: "… and gone on later, as it came",
  },
  {
    ...packet,
    at: 10,
    frame: null,
    from: "attacker",
    to: "server",
    fate: "injected",
    sent: null,
    wentOn: label,
    note: "injected: bytes of the attacker's own",
  },
  { kind: "refusal", connection: 1, lane: "server", error: "HmacError" },
  { kind: "end", at: 11, connection: 1, from: "server", to: "client", how: "fin", by: "victim" },
  { kind: "end", at: 11, connection: 1, from: "attacker", to: "client", how: "rst", by: "attacker" },
];

/** How the diagrams are to be read. */
export function legend(): Html {
  const sequence = { lanes: ["client", "attacker", "server"], rows: ROWS, connections: 1 } as const;
  return html`<section id="legend" aria-labelledby="legend-h">
<details><summary><h2 id="legend-h">How to read the diagrams</h2></summary>
<p>Time runs downwards, not to scale: each row has its milliseconds since the recording began.
The attacker sees every packet and reads its header; what is sealed stays sealed, unless an attack gives him keys.</p>
${drawSequence(sequence, "legend-d", "The signs of the diagrams")}</details></section>`;
}

/** A frame of strict with one block, made up. */
function sampleFrame(last: number): Uint8Array {
  const frame = new Uint8Array(84);
  frame.set([0, 0, 0, 80, 2, 30]);
  frame[83] = last;
  return frame;
}
