import type { Verdict } from "../verdict.ts";
import { type Html, html } from "./html.ts";

/** A verdict in words, with a sign that needs no colour. */
export const VERDICTS: Readonly<
  Record<Verdict, { readonly word: string; readonly sign: string; readonly meaning: string }>
> = {
  held: { word: "held", sign: "✓", meaning: "the attack failed, as promised" },
  shown: { word: "shown", sign: "◆", meaning: "a known weakness was there" },
  broken: { word: "broken", sign: "✗", meaning: "the attack worked, and must not" },
  "not-shown": { word: "not shown", sign: "○", meaning: "a known weakness was not to be seen" },
  disagrees: {
    word: "disagrees",
    sign: "≠",
    meaning: "the attack failed, but for another reason than the victim names",
  },
  skipped: { word: "skipped", sign: "–", meaning: "it cannot be tried here" },
  error: { word: "error", sign: "!", meaning: "it could not be carried out, so nothing is known" },
};

export function badge(verdict: Verdict): Html {
  const { word, sign } = VERDICTS[verdict];
  return html`<span class="badge ${verdict}" data-verdict="${verdict}"><span aria-hidden="true">${sign}</span> ${word}</span>`;
}
