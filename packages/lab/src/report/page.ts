import { createHash } from "node:crypto";
import type { LabReport } from "../runner.ts";
import { anchorOf, attackSection } from "./attack-section.ts";
import { Figures } from "./case-figure.ts";
import { badFirst, chosenCases, rowsPerTable } from "./choice.ts";
import { Html, html } from "./html.ts";
import { legend } from "./legend.ts";
import { STYLE } from "./style.ts";
import { byAttack, headline, honestSection, summaryTable } from "./summary.ts";

export interface ReportOptions {
  /** What the run was made with, by name; the version of Node.js unless given. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Diagrams are left out where the page would grow longer than this; 5 MB unless given. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 5_000_000;

/** The report of a run as one page of HTML that needs nothing else: no network, no script, no file. */
export function renderReport(report: LabReport, options: ReportOptions = {}): string {
  const { versions = { "Node.js": process.version }, maxBytes = MAX_BYTES } = options;
  const tableRows = rowsPerTable(report.results);
  const page = (figures: Figures) => pageOf(report, versions, figures, tableRows);
  // What is said in words comes first; the diagrams have the room that it leaves.
  const words = page(new Figures(0));
  const figures = new Figures(maxBytes - Buffer.byteLength(words));
  drawAll(report, figures);
  return page(figures);
}

/** What is not as it must be is drawn first. */
function drawAll({ results }: LabReport, figures: Figures): void {
  for (const result of badFirst(results)) {
    for (const [index, one] of chosenCases(result).entries()) {
      const name = one.name === "" ? "" : `, ${one.name}`;
      figures.draw(one, `${anchorOf(result)}-${index}`, `${result.attack.title}, on ${result.suite}${name}`);
    }
  }
}

function pageOf(
  report: LabReport,
  versions: Readonly<Record<string, string>>,
  figures: Figures,
  tableRows: number,
): string {
  const attacks = byAttack(report).map((results) => attackSection(results, figures, tableRows));
  const style = new Html(STYLE);
  const digest = createHash("sha256").update(STYLE).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="pawl lab">
<title>Pawl lab, ${report.startedAt.slice(0, 10)}: ${report.ok ? "as promised" : "not as promised"}</title>
<style>${style}</style>
</head>
<body>
<a class="skip" href="#summary">To the summary</a>
${headline(report, versions)}
<main>
${summaryTable(report)}
${honestSection(report)}
${legend()}
${attacks}
</main>
</body>
</html>
`.text;
}
