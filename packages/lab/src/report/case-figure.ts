import type { Recording } from "../mitm/index.ts";
import type { CaseResult } from "../run-attack.ts";
import { byteStrip } from "./byte-strip.ts";
import { drawSequence } from "./diagram.ts";
import { foldRows } from "./fold.ts";
import { type Html, html } from "./html.ts";
import { sequenceOf } from "./sequence.ts";

/** Altered frames of one case that are shown byte by byte. */
const MOST_STRIPS = 3;

/** The diagram of a case's recording, with the bytes that were altered in it. @param id of the page's element */
function caseFigure(one: CaseResult, recording: Recording, id: string, title: string): Html {
  const whole = sequenceOf(recording, one.refusedBy);
  const rows = foldRows(whole.rows);
  const strips = rows
    .flatMap((row) => (row.kind === "packet" && row.change !== null ? [byteStrip(row)] : []))
    .slice(0, MOST_STRIPS);
  return html`<div class="case-figure" id="${id}">${drawSequence({ ...whole, rows }, id, title)}${strips}</div>`;
}

/** What stands in a case for its diagram. */
export type Figure =
  | { readonly kind: "drawn"; readonly html: Html }
  /** The recording is that of another case, whose diagram is there. */
  | { readonly kind: "same"; readonly id: string }
  | { readonly kind: "no-room" };

/** Draws until the page is full. */
export class Figures {
  #left: number;
  readonly #figures = new Map<CaseResult, Figure>();
  readonly #drawn = new Map<Recording, string>();

  /** @param bytes that all figures may take together */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  draw(one: CaseResult, id: string, title: string): void {
    if (one.recording === null) return;
    const same = this.#drawn.get(one.recording);
    if (same !== undefined) {
      this.#figures.set(one, { kind: "same", id: same });
      return;
    }
    const figure = caseFigure(one, one.recording, id, title);
    const bytes = Buffer.byteLength(figure.text);
    if (bytes > this.#left) return;
    this.#left -= bytes;
    this.#figures.set(one, { kind: "drawn", html: figure });
    this.#drawn.set(one.recording, id);
  }

  of(one: CaseResult): Figure {
    return this.#figures.get(one) ?? { kind: "no-room" };
  }
}
