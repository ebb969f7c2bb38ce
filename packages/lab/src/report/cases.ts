import type { AttackResult, CaseResult } from "../run-attack.ts";
import { badge } from "./badge.ts";
import type { Figures } from "./case-figure.ts";
import { describeRefusal } from "./checks.ts";
import { badFirst, chosenCases, FEW_CASES, kindsOf } from "./choice.ts";
import { type Html, html } from "./html.ts";
import { facts, quiet, row, table } from "./parts.ts";
import { clip, count, plural } from "./text.ts";

/** Columns of a text of a case. */
const LONG = 600;
const CELL = 160;

/** The cases of an attack on one suite: each by itself, or a table of them and the first of each kind. */
export function casesOf(result: AttackResult, figures: Figures, tableRows: number): Html {
  const { cases } = result;
  if (cases.length === 0) return html``;
  const chosen = chosenCases(result).map((one) => caseOf(one, figures, cases.length === 1));
  if (cases.length <= FEW_CASES) return html`${chosen}`;
  const kinds = kindsOf(cases).map(({ first, cases: alike }) => {
    const named = first.refusedBy === null ? "no error named" : describeRefusal(first.refusedBy);
    return html`<li>${badge(first.verdict)} ${plural(alike, "case")}, ${named}</li>`;
  });
  return html`<ul class="kinds">${kinds}</ul>${chosen}${tableOf(cases, tableRows)}`;
}

function caseOf(one: CaseResult, figures: Figures, only: boolean): Html {
  const name = one.name === "" ? "the attack itself" : clip(one.name, LONG);
  const heading = only ? null : html`<h4>${name} ${badge(one.verdict)}</h4>`;
  const told = facts([
    ["The attacker", clip(one.did, LONG)],
    ["What was seen", clip(one.happened, LONG)],
    refusalOf(one),
    ...measuresOf(one),
  ]);
  return html`<div class="case">${heading}${told}${figureOf(one, figures)}</div>`;
}

function figureOf(one: CaseResult, figures: Figures): Html {
  if (one.recording === null) return html`<p class="quiet">Nothing was recorded on the wire.</p>`;
  const figure = figures.of(one);
  switch (figure.kind) {
    case "drawn":
      return figure.html;
    case "same":
      return html`<p class="quiet">Its packets are in <a href="#${figure.id}">another case's diagram</a>.</p>`;
    case "no-room":
      return html`<p class="quiet">The page has no room left for this diagram: run this attack alone
(<code>--only</code>).</p>`;
    default:
      return figure satisfies never;
  }
}

function refusalOf({ refusedBy, due }: CaseResult): readonly [string, Html] | null {
  if (refusedBy === null && due === null) return null;
  const named = refusedBy === null ? "no error" : describeRefusal(refusedBy);
  const wanted = due === null ? "none is due" : `due is ${due.join(" or ")}`;
  const agrees = due !== null && refusedBy !== null && due.includes(refusedBy);
  return ["The victim names", html`${named}${!agrees && html` ${quiet(`(${wanted})`)}`}`];
}

function measuresOf({ figures = {} }: CaseResult): [string, string][] {
  return Object.entries(figures).map(([name, value]) => [
    name,
    Number.isInteger(value) ? count(value) : value.toPrecision(4),
  ]);
}

const COLUMNS = ["case", "the attacker", "what was seen", "refused by", "verdict"];

function tableOf(cases: readonly CaseResult[], most: number): Html {
  const shown = badFirst(cases).slice(0, most);
  const left = cases.length - shown.length;
  const rows = shown.map(({ name, did, happened, refusedBy, verdict }) =>
    row([clip(name, CELL), clip(did, CELL), clip(happened, CELL), refusedBy ?? "–", badge(verdict)]),
  );
  const more =
    left > 0 &&
    html`<tr class="more"><td colspan="${COLUMNS.length}">… ${plural(left, "more case")}, of the kinds above;
<code>--json</code> has them all</td></tr>`;
  return html`<details class="all-cases"><summary>All ${count(cases.length)} cases in a table</summary>
${table("cases", "Cases", COLUMNS, html`<tbody>${rows}${more}</tbody>`)}
</details>`;
}
