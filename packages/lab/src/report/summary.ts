import { CLAIMS, type ClaimId } from "../claims.ts";
import type { AttackResult } from "../run-attack.ts";
import type { LabReport } from "../runner.ts";
import { isGood, type Verdict } from "../verdict.ts";
import { anchorOf, attackAnchor } from "./attack-section.ts";
import { badge, VERDICTS } from "./badge.ts";
import { type Html, html } from "./html.ts";
import { quiet, row, table } from "./parts.ts";
import { count, duration, plural } from "./text.ts";

/** Results by attack, in their order; those of an attack in the order of the suites. */
export function byAttack(report: LabReport): AttackResult[][] {
  const attacks = new Map<string, AttackResult[]>();
  for (const result of report.results) {
    attacks.set(result.attack.id, [...(attacks.get(result.attack.id) ?? []), result]);
  }
  const suites = suitesOf(report);
  const rank = ({ suite }: AttackResult) => suites.indexOf(suite);
  return [...attacks.values()].map((results) => results.sort((a, b) => rank(a) - rank(b)));
}

export function suitesOf({ results, honest }: LabReport): string[] {
  return [...new Set([...honest, ...results].map(({ suite }) => suite))];
}

/** The whole run in a sentence, and what was run. */
export function headline(report: LabReport, versions: Readonly<Record<string, string>>): Html {
  const { results, startedAt, ms, ok } = report;
  const cases = results.reduce((sum, result) => sum + result.cases.length, 0);
  const facts: readonly (readonly [string, string])[] = [
    ["Date", startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")],
    ["Suites", suitesOf(report).join(", ")],
    ["Attacks", `${byAttack(report).length}, ${plural(cases, "case")}`],
    ["Duration", duration(ms)],
    ...Object.entries(versions),
  ];
  return html`<header><p class="kicker">Pawl attack lab</p>
<h1 class="${ok ? "good" : "bad"}"><span aria-hidden="true">${ok ? "✓" : "✗"}</span> ${sentenceOf(report)}</h1>
<dl class="run">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></header>`;
}

function sentenceOf({ results, honest, ok }: LabReport): string {
  const shown = results.some(({ verdict }) => verdict === "shown");
  if (results.length === 0) return "Nothing was tried.";
  if (ok) {
    const tried = untriedIn(results).length === 0 ? "" : " that was tried";
    return `Every promise${tried} held${shown ? ", and every known weakness was shown" : ""}.`;
  }
  const bad = results.filter(({ verdict }) => !isGood(verdict)).length;
  if (bad === 0) return "Honest clients were harmed.";
  const harmed = honest.some(({ wrong }) => wrong.length > 0);
  const end = harmed ? ", and honest clients were harmed." : ".";
  return `${count(bad)} of ${plural(results.length, "result")} ${bad === 1 ? "is" : "are"} not as promised${end}`;
}

/** Claims and their attacks against suites. */
export function summaryTable(report: LabReport): Html {
  const suites = suitesOf(report);
  const claims = new Map<ClaimId, AttackResult[][]>();
  for (const results of byAttack(report)) {
    const [first] = results;
    if (first !== undefined) claims.set(first.claim, [...(claims.get(first.claim) ?? []), results]);
  }
  const untried = untriedIn(report.results);
  const bodies = [...claims].map(([id, attacks]) => {
    const rows = attacks.map((results) => attackRow(results, suites));
    return html`<tbody>
<tr class="claim"><th scope="rowgroup" colspan="${suites.length + 1}">
<span class="claim">${id}</span> ${CLAIMS[id].promise}</th></tr>
${rows}</tbody>
`;
  });
  return html`<section id="summary" aria-labelledby="summary-h"><h2 id="summary-h">Promises</h2>
${table("summary", "Verdicts by promise and suite", ["promise and attack", ...suites], bodies)}
${tally(report.results)}
${untried.length > 0 && html`<p class="quiet">Not tried in this run: ${untried.join(", ")}.</p>`}</section>`;
}

function untriedIn(results: readonly AttackResult[]): string[] {
  const tried = new Set<string>();
  for (const { claim, verdict } of results) if (verdict !== "skipped") tried.add(claim);
  return Object.keys(CLAIMS).filter((id) => !tried.has(id));
}

function attackRow(results: readonly AttackResult[], suites: readonly string[]): Html {
  const [first] = results;
  if (first === undefined) return html``;
  const cells = suites.map((suite) => {
    const result = results.find((one) => one.suite === suite);
    return result === undefined
      ? quiet("not run")
      : html`<a href="#${anchorOf(result)}">${badge(result.verdict)}</a>`;
  });
  const { id, title } = first.attack;
  return row([html`<a href="#${attackAnchor(id)}">${title}</a>`, ...cells]);
}

/** How often each verdict was given, and what it means. */
function tally(results: readonly AttackResult[]): Html {
  const verdicts = Object.keys(VERDICTS) as Verdict[];
  const rows = verdicts.flatMap((verdict) => {
    const times = results.filter((result) => result.verdict === verdict).length;
    if (times === 0) return [];
    return [html`<li><strong>${times}</strong> ${badge(verdict)} ${quiet(VERDICTS[verdict].meaning)}</li>`];
  });
  return html`<ul class="tally">${rows}</ul>`;
}

/** Who minded their own business meanwhile. */
export function honestSection({ honest }: LabReport): Html {
  const rows = honest.map(({ suite, clients, rounds, wrong, latencies }) => {
    const [median, slow] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
    const right =
      wrong.length === 0 ? "all right" : html`<strong class="bad">${plural(wrong.length, "fault")}</strong>`;
    return row([suite, count(clients), count(rounds), right, median, slow]);
  });
  const faults = honest.flatMap(({ suite, wrong }) =>
    wrong.slice(0, 10).map((what) => html`<li>${suite}: ${what}</li>`),
  );
  const columns = ["suite", "clients", "rounds", "aggregates", "latency, median", "99 of 100 within"];
  const all = table("honest", "Honest clients by suite", columns, html`<tbody>${rows}</tbody>`);
  return html`<section id="honest" aria-labelledby="honest-h"><h2 id="honest-h">Honest clients</h2>
<p>While the attacks ran, honest clients did rounds on the same servers, and checked every aggregate that they were
told.</p>
${honest.length === 0 ? html`<p class="quiet">There were none: the server was somebody else's.</p>` : all}
${faults.length > 0 && html`<ul class="faults">${faults}</ul>`}</section>`;
}

function quantile(sorted: readonly number[], part: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return value === undefined ? "–" : duration(value);
}
