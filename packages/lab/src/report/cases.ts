import type { AttackResult, CaseResult } from "../run-attack.ts";
import { badge } from "./badge.ts";
import type { Figures } from "./case-figure.ts";
import { describeRefusal } from "./checks.ts";
import { badFirst, chosenCases, FEW_CASES, kindsOf } from "./choice.ts";
import { type Html, html } from "./html.ts";
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
  const kinds = kindsOf(cases).map(
    ({ first, cases: alike }) =>
      html`<li>${badge(first.verdict)} ${plural(alike, "case")}, ${first.refusedBy === null ? "no error named" : describeRefusal(first.refusedBy)}</li>`,
  );
  return html`<ul class="kinds">${kinds}</ul>${chosen}${tableOf(cases, tableRows)}`;
}

function caseOf(one: CaseResult, figures: Figures, only: boolean): Html {
  const heading = only
    ? null
    : html`<h4>${clip(one.name === "" ? "the attack itself" : one.name, LONG)} ${badge(one.verdict)}</h4>`;
  return html`<div class="case">${heading}<dl class="facts"><div><dt>The attacker</dt><dd>${clip(one.did, LONG)}</dd></div><div><dt>What was seen</dt><dd>${clip(one.happened, LONG)}</dd></div>${refusalOf(one)}${figuresOf(one)}</dl>${figureOf(one, figures)}</div>`;
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
      return html`<p class="quiet">The page has no room left for this diagram: run this attack alone (<code>--only</code>).</p>`;
    default:
      return figure satisfies never;
  }
}

function refusalOf({ refusedBy, due }: CaseResult): Html | null {
  if (refusedBy === null && due === null) return null;
  const named = refusedBy === null ? "no error" : describeRefusal(refusedBy);
  const wanted = due === null ? "none is due" : `due is ${due.join(" or ")}`;
  const agrees = due !== null && refusedBy !== null && due.includes(refusedBy);
  return html`<div><dt>The victim names</dt><dd>${named}${!agrees && html` <span class="quiet">(${wanted})</span>`}</dd></div>`;
}

function figuresOf({ figures = {} }: CaseResult): Html[] {
  return Object.entries(figures).map(
    ([name, value]) =>
      html`<div><dt>${name}</dt><dd class="figure">${Number.isInteger(value) ? count(value) : value.toPrecision(4)}</dd></div>`,
  );
}

function tableOf(cases: readonly CaseResult[], most: number): Html {
  const shown = badFirst(cases).slice(0, most);
  const left = cases.length - shown.length;
  const rows = shown.map(
    (one) =>
      html`<tr><th scope="row">${clip(one.name, CELL)}</th><td>${clip(one.did, CELL)}</td><td>${clip(one.happened, CELL)}</td><td>${one.refusedBy ?? "–"}</td><td>${badge(one.verdict)}</td></tr>`,
  );
  const more =
    left > 0 &&
    html`<tr class="more"><td colspan="5">… ${plural(left, "more case")}, of the kinds above; <code>--json</code> has them all</td></tr>`;
  return html`<details class="all-cases"><summary>All ${count(cases.length)} cases in a table</summary><div class="scroll" tabindex="0" role="group" aria-label="Cases"><table><thead><tr><th scope="col">case</th><th scope="col">the attacker</th><th scope="col">what was seen</th><th scope="col">refused by</th><th scope="col">verdict</th></tr></thead><tbody>${rows}${more}</tbody></table></div></details>`;
}
