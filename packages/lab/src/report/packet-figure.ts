import { compareFrames } from "./bytes.ts";
import { arrow, GAP, GLYPHS, type Grid, LEG_COLUMNS, LINE, lines, stub, text } from "./draw.ts";
import { type Html, html } from "./html.ts";
import type { PacketLabel } from "./label.ts";
import type { PacketRow } from "./rows.ts";
import { clip, wrap } from "./text.ts";

/** A row as it is drawn. */
export interface Figure {
  readonly height: number;
  readonly body: Html;
}

const TITLE = 15;
const ARROW = 22;
const DETAIL = 37;
const PADDING = 11;
const NOTE_LINES = 4;
const STRIP = 16;

/** A packet's arrow, from `y` downwards. */
export function drawPacket(row: PacketRow, grid: Grid, y: number): Figure {
  const { from, to, fate, sent, wentOn, note } = row;
  const [start, middle, end] = [grid.x(from), grid.x("attacker"), grid.x(to)];
  const through = fate === "passed" || fate === "unread";
  const body: Html[] = [];
  let bottom = y + DETAIL;
  if (sent !== null) {
    const look = fate === "unread" ? "unread" : "honest";
    const way = Math.sign(middle - start);
    const leg = through
      ? arrow(start, end, y + ARROW, look)
      : fate === "received"
        ? arrow(start, middle, y + ARROW, look)
        : // The attacker's sign ends the line, in place of a head.
          stub(start, middle - way * 8, y + ARROW, look);
    body.push(leg, label(sent, (start + middle) / 2, y, ""));
  }
  if (wentOn !== null) {
    const look = fate === "late" ? "late" : "forged";
    const x = (middle + end) / 2;
    body.push(
      arrow(middle + Math.sign(end - middle) * GAP, end, y + ARROW, look),
      label(wentOn, x, y, "hot"),
    );
    const said = note === null ? [] : wrap(note, LEG_COLUMNS, NOTE_LINES);
    body.push(...lines(x, bottom + LINE, said, "said"));
    bottom += said.length * LINE;
    if (row.change !== null) {
      body.push(
        drawStrip(row.change, Math.min(middle, end) + GAP, bottom + 7, Math.abs(end - middle) - 2 * GAP),
      );
      bottom += STRIP;
    }
  } else if (note !== null) {
    // Where it went no further, the other half of the row has room to say so.
    const way = Math.sign(middle - start);
    const said = wrap(note, LEG_COLUMNS - 2, NOTE_LINES);
    const anchor = way > 0 ? "start" : "end";
    body.push(...lines(middle + way * 16, y + ARROW + 4, said, "said hot", anchor));
    bottom = Math.max(bottom, y + ARROW + 4 + (said.length - 1) * LINE);
  }
  const glyph = GLYPHS[fate];
  if (glyph !== null) body.push(glyph(middle, y + ARROW));
  return { height: bottom + PADDING - y, body: html`${body}` };
}

function label({ title, detail }: PacketLabel, x: number, y: number, look: string): Html {
  return html`${text(x, y + TITLE, clip(title, LEG_COLUMNS), `title ${look}`)}${text(
    x,
    y + DETAIL,
    clip(detail, LEG_COLUMNS),
    "detail",
  )}`;
}

/** The whole packet as a bar of its parts, those that differ filled. */
function drawStrip(change: NonNullable<PacketRow["change"]>, x: number, y: number, width: number): Html {
  const parts = compareFrames(change.before, change.after);
  const sizes = parts.map(({ before, after }) => Math.max(before.length, after.length));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  // Long ciphertexts leave the header no room of its own.
  const least = Math.min(5, width / (2 * parts.length));
  const scale = (width - least * parts.length) / Math.max(1, all);
  let at = x;
  const boxes = parts.map(({ changed }, index) => {
    const wide = least + scale * (sizes[index] ?? 0);
    const look = changed.length > 0 ? "part changed" : "part";
    const box = html`<rect x="${at.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="9" class="${look}"/>`;
    at += wide;
    return box;
  });
  return html`${boxes}`;
}
