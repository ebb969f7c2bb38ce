import { type Html, html } from "./html.ts";
import type { Fate, Lane } from "./rows.ts";

/** Measures of a diagram, in units of its view box: pixels, where there is room. */
export const LEFT = 66;
export const FIRST_LANE = 116;
const LANE_STEP = 310;
const RIGHT = 50;
export const LINE = 14;
/** Columns of text that have room between two life lines; any fixed-width font's are at most 6.7 wide at its 11 px. */
export const LEG_COLUMNS = 42;
/** Columns that the narrowest diagram has for a refusal. */
export const REFUSAL_COLUMNS = 47;
/** Between a life line and what is drawn or written beside it. */
export const GAP = 9;

/** Where the life lines are. */
export class Grid {
  readonly lanes: readonly Lane[];

  constructor(lanes: readonly Lane[]) {
    this.lanes = lanes;
  }

  get width(): number {
    return this.x(this.lanes.at(-1) ?? "attacker") + RIGHT;
  }

  x(lane: Lane): number {
    return FIRST_LANE + LANE_STEP * Math.max(0, this.lanes.indexOf(lane));
  }

  /** Between the outer life lines. */
  get center(): number {
    const [first = "attacker"] = this.lanes;
    return (this.x(first) + this.x(this.lanes.at(-1) ?? first)) / 2;
  }

  /** Columns of text that have room across all life lines. */
  get columns(): number {
    return Math.floor((this.width - LEFT - 20) / 6.7);
  }
}

export type Anchor = "start" | "middle" | "end";

export function text(x: number, y: number, words: string, look: string, anchor: Anchor = "middle"): Html {
  return html`<text x="${x}" y="${y}" class="${look}" text-anchor="${anchor}">${words}</text>`;
}

/** Lines below each other. */
export function lines(
  x: number,
  y: number,
  words: readonly string[],
  look: string,
  anchor: Anchor = "middle",
): Html[] {
  return words.map((line, index) => text(x, y + index * LINE, line, look, anchor));
}

export function path(d: string, look: string): Html {
  return html`<path d="${d}" class="${look}"/>`;
}

/** A line with a head at its end. */
export function arrow(from: number, to: number, y: number, look: string): Html {
  const way = Math.sign(to - from);
  const [tail, neck] = [from, to - way * 8];
  return html`${path(`M${tail} ${y}H${neck}`, `leg ${look}`)}${path(
    `M${to} ${y}l${-way * 9} -4.5v9z`,
    `head ${look}`,
  )}`;
}

/** A line without a head. */
export function stub(from: number, to: number, y: number, look: string): Html {
  return path(`M${from} ${y}H${to}`, `leg ${look}`);
}

/** The sign at the attacker's line of what became of a packet there: a shape of its own, colour apart. */
export const GLYPHS: Readonly<Record<Fate, ((x: number, y: number) => Html) | null>> = {
  passed: (x: number, y: number) => html`<circle cx="${x}" cy="${y}" r="3" class="glyph open"/>`,
  altered: (x: number, y: number) => path(`M${x} ${y - 6.5}l6.5 6.5l-6.5 6.5l-6.5 -6.5z`, "glyph full"),
  stopped: (x: number, y: number) => path(`M${x - 6} ${y - 6}l12 12m0 -12l-12 12`, "glyph cross"),
  kept: (x: number, y: number) => path(`M${x - 3} ${y - 6}v12m6 -12v12`, "glyph bars"),
  late: (x: number, y: number) => path(`M${x - 3} ${y - 6}v12m6 -12v12`, "glyph bars"),
  injected: (x: number, y: number) => path(`M${x - 5} ${y - 5}h10v10h-10z`, "glyph full"),
  received: null,
  unread: null,
};
