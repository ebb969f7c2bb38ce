import { CLAIMS } from "../claims.ts";
import type { AttackResult } from "../run-attack.ts";
import { badge } from "./badge.ts";
import type { Figures } from "./case-figure.ts";
import { casesOf } from "./cases.ts";
import { type Html, html } from "./html.ts";
import { facts, quiet } from "./parts.ts";
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
  const tales = new Set<string>();
  const suites = results.map((result) => {
    // A suite on which all went as on one before is folded.
    const tale = `${result.verdict}/${result.expected}`;
    const open = !tales.has(tale);
    tales.add(tale);
    return suiteSection(result, open, figures, tableRows);
  });
  const anchor = attackAnchor(attack.id);
  const told = facts([
    ["Adversary", attack.adversary],
    ["Steps", html`<ol>${attack.steps.map((step) => html`<li>${step}</li>`)}</ol>`],
    attack.weakness === undefined ? null : ["Known weakness", attack.weakness],
  ]);
  return html`<section class="attack" id="${anchor}" aria-labelledby="${anchor}-h">
<h2 id="${anchor}-h">${attack.title} <code>${attack.id}</code></h2>
<p class="promise"><span class="claim">${first.claim}</span> ${claim.promise}
${quiet(`PROTOCOL.md, ${claim.section}. It rests on: ${claim.assumption}`)}</p>
${told}
${suites}
<p class="up"><a href="#summary">Back to the summary</a></p>
</section>`;
}

function suiteSection(result: AttackResult, open: boolean, figures: Figures, tableRows: number): Html {
  const { suite, verdict, cases, expected, reason, ms } = result;
  const much = cases.length === 0 ? "" : ` · ${plural(cases.length, "case")} · ${duration(ms)}`;
  return html`<details class="suite"${open && html` open`}>
<summary><h3>${suite}</h3> ${badge(verdict)} ${quiet(`the attack ${EXPECTATIONS[expected]}${much}`)}</summary>
<div class="result" id="${anchorOf(result)}">
${reason !== null && html`<p class="reason">${reason}</p>`}${casesOf(result, figures, tableRows)}
</div>
</details>`;
}
