import { CLAIMS } from "../claims.ts";
import type { AttackResult } from "../run-attack.ts";
import { badge } from "./badge.ts";
import type { Figures } from "./case-figure.ts";
import { casesOf } from "./cases.ts";
import { type Html, html } from "./html.ts";
import { duration, plural } from "./text.ts";

const EXPECTATIONS = {
  fails: "must fail",
  works: "must be seen to work",
  "n/a": "has nothing to work on",
} as const;

/** Where a page's attack on one suite is: inside of what is folded, so that a link to it unfolds it. */
export function anchorOf({ attack, suite }: Pick<AttackResult, "attack" | "suite">): string {
  return `${attackAnchor(attack.id)}--${suite}`;
}

export function attackAnchor(id: string): string {
  return `attack-${id.replace(/[^\w-]/g, "-")}`;
}

/** One attack, on every suite that it was run on. */
export function attackSection(results: readonly AttackResult[], figures: Figures, tableRows: number): Html {
  const [first] = results;
  if (first === undefined) return html``;
  const { attack } = first;
  const claim = CLAIMS[first.claim];
  const told = new Set<string>();
  const suites = results.map((result) => {
    // A suite on which all went as on one before is folded.
    const tale = `${result.verdict}/${result.expected}`;
    const open = !told.has(tale);
    told.add(tale);
    return suiteSection(result, open, figures, tableRows);
  });
  return html`<section class="attack" id="${attackAnchor(attack.id)}" aria-labelledby="${attackAnchor(attack.id)}-h">
<h2 id="${attackAnchor(attack.id)}-h">${attack.title} <code>${attack.id}</code></h2>
<p class="promise"><span class="claim">${first.claim}</span> ${claim.promise} <span class="quiet">PROTOCOL.md, ${claim.section}. It rests on: ${claim.assumption}</span></p>
<dl class="facts"><div><dt>Adversary</dt><dd>${attack.adversary}</dd></div><div><dt>Steps</dt><dd><ol>${attack.steps.map((step) => html`<li>${step}</li>`)}</ol></dd></div>${
    attack.weakness !== undefined && html`<div><dt>Known weakness</dt><dd>${attack.weakness}</dd></div>`
  }</dl>
${suites}
<p class="up"><a href="#summary">Back to the summary</a></p>
</section>`;
}

function suiteSection(result: AttackResult, open: boolean, figures: Figures, tableRows: number): Html {
  const { suite, verdict, cases, expected, reason, ms } = result;
  const quiet = [
    `the attack ${EXPECTATIONS[expected]}`,
    ...(cases.length === 0 ? [] : [plural(cases.length, "case"), duration(ms)]),
  ].join(" · ");
  return html`<details class="suite"${open && html` open`}>
<summary><h3>${suite}</h3> ${badge(verdict)} <span class="quiet">${quiet}</span></summary>
<div class="result" id="${anchorOf(result)}">${reason !== null && html`<p class="reason">${reason}</p>`}${casesOf(result, figures, tableRows)}</div>
</details>`;
}
