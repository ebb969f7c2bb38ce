import { describeRefusal } from "./checks.ts";
import { Grid, LEFT, LINE, lines, path, REFUSAL_COLUMNS, stub, text } from "./draw.ts";
import { type Html, html } from "./html.ts";
import { drawPacket, type Figure } from "./packet-figure.ts";
import type { EndRow, RefusalRow, Row, Sequence } from "./rows.ts";
import { clip, columnsOf, duration, wrap } from "./text.ts";

const HEAD = 40;
/** Units of a strip: paper is cut between two strips, never through a row. */
const STRIP_HEIGHT = 420;

/** A sequence as drawings one above the other, which look like one. @param id of the page's element, for its parts */
export function drawSequence(sequence: Sequence, id: string, title: string): Html {
  const grid = new Grid(sequence.lanes);
  const strips: Html[] = [];
  let rows: Html[] = [];
  let y = HEAD;
  const cut = () => {
    strips.push(strip(grid, y, rows, strips.length === 0 ? { id, title, sequence } : null));
    rows = [];
    y = 0;
  };
  for (const row of sequence.rows) {
    const { height, body } = draw(row, grid, y, sequence.connections > 1);
    rows.push(body);
    y += height;
    if (y > STRIP_HEIGHT) cut();
  }
  if (rows.length > 0 || strips.length === 0) cut();
  return html`<div class="diagram" tabindex="0" role="group" aria-labelledby="${id}-t">${strips}</div>`;
}

function strip(
  grid: Grid,
  height: number,
  rows: readonly Html[],
  first: { readonly id: string; readonly title: string; readonly sequence: Sequence } | null,
): Html {
  const { width } = grid;
  const life = grid.lanes.map((lane) =>
    path(`M${grid.x(lane)} ${first === null ? 0 : 30}V${height}`, `life ${lane}`),
  );
  const look = grid.lanes.length > 2 ? "wide" : "narrow";
  const size = html`class="${look}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  if (first === null) return html`<svg ${size} aria-hidden="true">${life}${rows}</svg>\n`;
  const { id, title, sequence } = first;
  const heads = grid.lanes.map((lane) => head(grid.x(lane), lane));
  return html`<svg ${size} role="img" aria-labelledby="${id}-t" aria-describedby="${id}-d">
<title id="${id}-t">${title}</title>
<desc id="${id}-d">${sequence.rows.map(inWords).join(" ")}</desc>
${life}${heads}${rows}</svg>
`;
}

function head(x: number, lane: string): Html {
  return html`<rect x="${x - 46}" y="4" width="92" height="24" class="party ${lane}"/>${text(x, 20, lane, "party")}`;
}

function draw(row: Row, grid: Grid, y: number, named: boolean): Figure {
  const side = "at" in row && row.kind !== "note" ? aside(row, y, named) : null;
  const figure = figureOf(row, grid, y, named);
  return { height: figure.height, body: html`<g class="row ${row.kind}">${side}${figure.body}</g>` };
}

/** Time and number, left of everything. */
function aside(row: Extract<Row, { at: number }>, y: number, named: boolean): Html {
  const frame = row.kind === "packet" && row.frame !== null ? `frame ${row.frame}` : "";
  const words = [duration(row.at), frame, named ? `conn. ${row.connection}` : ""].filter(
    (word) => word !== "",
  );
  const top = y + (row.kind === "end" ? 18 : 14);
  return html`${words.map((word, index) => text(LEFT - 8, top + 13 * index, word, "aside", "end"))}`;
}

function figureOf(row: Row, grid: Grid, y: number, named: boolean): Figure {
  switch (row.kind) {
    case "packet":
      return drawPacket(row, grid, y);
    case "end":
      return drawEnd(row, grid, y);
    case "refusal":
      return drawRefusal(row, grid, y);
    case "note":
      return across(
        named && row.connection !== null ? `connection ${row.connection}: ${row.text}` : row.text,
        grid,
        y,
        "note",
      );
    case "fold":
      return across(row.text, grid, y, "fold");
    default:
      return row satisfies never;
  }
}

/** A stream's end: a bar at the far end of a thin line; two where it was reset. */
function drawEnd({ from, to, how, by }: EndRow, grid: Grid, y: number): Figure {
  const [a, b] = [grid.x(from), grid.x(to)];
  const way = Math.sign(b - a);
  const look = by === "attacker" ? "ending cut" : "ending";
  const [words, ink] = by === "attacker" ? ["the attacker ends it", "said hot"] : [`${from} ends`, "detail"];
  const bars = how === "rst" ? [8, 13] : [8];
  const marks = bars.map((back) => path(`M${b - way * back} ${y + 15}v12`, `bar ${look}`));
  // Beside the line's start, where an arrow that passes the attacker has its words too.
  const said = text(a + way * 155, y + 15, `${words} (${how.toUpperCase()})`, ink);
  return { height: 38, body: html`${stub(a, b - way * 8, y + 21, look)}${marks}${said}` };
}

/** A flag at the victim's line; a box in the middle where it is not known whose. */
function drawRefusal({ lane, error }: RefusalRow, grid: Grid, y: number): Figure {
  const words = clip(describeRefusal(error), REFUSAL_COLUMNS);
  const width = columnsOf(words) * 6.9 + 24;
  const way = lane === null ? 0 : lane === "server" ? -1 : 1;
  const x = lane === null ? grid.center : grid.x(lane);
  const [near, far] = way === 0 ? [x - width / 2, x + width / 2] : [x + way * 6, x + way * (6 + width)];
  const tip = way === 0 ? near : x;
  const flag = path(`M${tip} ${y + 18}L${near} ${y + 6}H${far}V${y + 30}H${near}z`, "refusal");
  return { height: 42, body: html`${flag}${text((near + far) / 2, y + 22, words, "refusal")}` };
}

/** Words across all life lines, which do not show through. */
function across(words: string, grid: Grid, y: number, look: string): Figure {
  const said = wrap(words, grid.columns, 5);
  const width = Math.max(0, ...said.map(columnsOf)) * 6.8 + 12;
  const left = Math.min(Math.max(grid.center, LEFT + width / 2), grid.width - width / 2);
  const height = said.length * LINE;
  const back = html`<rect x="${left - width / 2}" y="${y + 5}" width="${width}" height="${height + 4}" class="back"/>`;
  return { height: height + 18, body: html`${back}${lines(left, y + 17, said, look)}` };
}

/** For who cannot see it. */
function inWords(row: Row): string {
  switch (row.kind) {
    case "packet": {
      const what = [row.sent?.title, row.wentOn === null ? null : `as ${row.wentOn.title}`]
        .filter(Boolean)
        .join(", ");
      return `${duration(row.at)}: ${row.from} to ${row.to}, ${what}, ${row.fate}${row.note === null ? "" : `: ${row.note}`}.`;
    }
    case "end":
      return `${duration(row.at)}: ${row.from} ends the stream to ${row.to} (${row.how.toUpperCase()}).`;
    case "refusal":
      return `Refused${row.lane === null ? "" : ` by the ${row.lane}`}: ${describeRefusal(row.error)}.`;
    default:
      return `${row.text}.`;
  }
}
