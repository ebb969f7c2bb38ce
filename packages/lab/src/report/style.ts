import { DIAGRAM_STYLE } from "./diagram-style.ts";

/** Attackers are warm, defences cool, honest traffic is ink; nothing is told by colour alone. */
const COLOURS = `
:root {
  color-scheme: light dark;
  --paper: #fcfbf9; --raised: #ffffff; --ink: #1c2024; --quiet: #5b636b; --line: #dcdad4; --shade: #0002;
  --hot: #a5330f; --hot-wash: #fbe9e2; --cool: #0a6352; --cool-wash: #e2f2ed; --known: #7a5200; --known-wash: #faf0d8;
  --link: #1f4fa3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --raised: #1b1f23; --ink: #e6e7e8; --quiet: #a3abb3; --line: #353c43; --shade: #fff3;
    --hot: #ff9a78; --hot-wash: #3b2119; --cool: #6fd3b8; --cool-wash: #15312a; --known: #ecc368; --known-wash: #352a12;
    --link: #9cbcf5;
  }
}
`;

const TEXT = `
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 3rem 1.25rem 5rem; max-width: 56rem; overflow-wrap: anywhere; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "Noto Sans", sans-serif;
}
code, span.claim { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86em; }
h1, h2, h3, h4, p, dl, ol, ul, figure { margin: 0; }
h1 { font-size: clamp(1.5rem, 4.5vw, 2.1rem); line-height: 1.2; letter-spacing: -.015em; text-wrap: balance; }
h2 { font-size: 1.3rem; line-height: 1.3; letter-spacing: -.01em; }
h3, h4 { font-size: 1rem; line-height: 1.4; }
a { color: var(--link); text-underline-offset: .15em; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; }
.quiet { color: var(--quiet); }
.kicker { color: var(--quiet); font-size: .9rem; margin-bottom: .5rem; }
h1.good > span { color: var(--cool); }
h1.bad > span, strong.bad { color: var(--hot); }
.run { display: flex; flex-wrap: wrap; gap: .75rem 2.25rem; margin-top: 1.5rem; }
.run dt { color: var(--quiet); font-size: .8rem; }
.run dd { margin: 0; }
section { margin-top: 3.5rem; }
section > h2 { margin-bottom: .9rem; }
section > p { max-width: 42rem; }
`;

const TABLES = `
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .9rem .4rem 0; text-align: left; vertical-align: top; font-weight: 400; }
@media (min-width: 40rem) { th, td { overflow-wrap: break-word; } }
thead th { color: var(--quiet); font-size: .8rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 1px solid var(--line); }
.summary tbody th[scope="row"] { padding-left: 1rem; }
.summary tr.claim > th { padding-top: .75rem; color: var(--quiet); }
.summary tr.claim .claim { color: var(--ink); font-weight: 600; margin-right: .5em; }
.summary td { width: 8rem; }
.summary td a { text-decoration: none; }
.summary td a:hover .badge { text-decoration: underline; }
.summary tbody th a { color: inherit; text-decoration-color: var(--line); }
.honest th, .honest td { white-space: nowrap; }
.scroll + .tally { margin-top: 1.25rem; }
.tally, .kinds, .faults { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .35rem 1.75rem; font-size: .92rem; }
.kinds { display: grid; }
.scroll + .faults { margin-top: 1rem; }
.faults { display: block; color: var(--hot); }
.tally + p { margin-top: .75rem; font-size: .92rem; }
#honest > p { margin-bottom: 1rem; }
.badge {
  display: inline-block; white-space: nowrap; border: 1px solid; border-radius: 3px; padding: 0 .45em;
  font-size: .82rem; line-height: 1.5; font-weight: 600; vertical-align: baseline;
}
.badge.held { color: var(--cool); }
.badge.shown { color: var(--known); border-style: dashed; }
.badge.skipped { color: var(--quiet); font-weight: 400; border-color: var(--line); }
.badge.broken, .badge.not-shown, .badge.disagrees, .badge.error { color: var(--paper); background: var(--hot); border-color: var(--hot); }
`;

const ATTACKS = `
.attack { border-top: 1px solid var(--line); padding-top: 2.25rem; }
.attack > h2 code { color: var(--quiet); font-weight: 400; font-size: .72em; margin-left: .4em; letter-spacing: 0; }
.promise { margin-bottom: 1.25rem; }
.promise .claim { font-weight: 600; margin-right: .35em; }
.facts { display: grid; gap: .45rem; }
.facts > div { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: 0 1rem; }
.facts dt { color: var(--quiet); font-size: .9rem; }
.facts dd { margin: 0; max-width: 42rem; }
.facts ol { padding-left: 1.2em; }
.facts .figure { font-variant-numeric: tabular-nums; }
summary { cursor: pointer; }
#legend summary h2 { display: inline; font-size: 1.05rem; }
#legend p { margin: .75rem 0 1rem; }
.suite { margin-top: 1rem; border-top: 1px solid var(--line); padding-top: .75rem; }
.facts + .suite { margin-top: 1.5rem; }
.suite > summary h3 { display: inline; margin-right: .5em; }
.suite > summary .quiet { font-size: .9rem; margin-left: .4em; }
.result { padding-top: .9rem; scroll-margin-top: 2.5rem; }
.result > * + * { margin-top: 1.1rem; }
.result > .case + .case { margin-top: 2rem; }
.case h4 { margin-bottom: .5rem; }
.case > p { margin-top: .75rem; }
.case-figure { margin-top: 1.1rem; }
.reason { color: var(--hot); }
.all-cases { margin-top: 1.5rem; }
.all-cases table { min-width: 44rem; font-size: .85rem; margin-top: .75rem; }
.all-cases tbody tr > * { border-bottom: 1px solid var(--line); }
.more td { color: var(--quiet); }
.up { margin-top: 1.25rem; font-size: .85rem; }
@media (max-width: 34rem) {
  body { padding-top: 1.75rem; }
  .facts > div { grid-template-columns: minmax(0, 1fr); }
  .summary tbody th[scope="row"] { padding-left: 0; }
  .summary td { width: auto; padding-right: .35rem; }
  .summary thead th { padding-right: .35rem; white-space: normal; }
  .summary .badge { font-size: .72rem; padding: 0 .3em; }
}
`;

const PRINT = `
@page { margin: 16mm 14mm; }
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --raised: #fff; --ink: #000; --quiet: #444; --line: #bbb;
    --hot: #8a2607; --hot-wash: #fff; --cool: #06483b; --cool-wash: #fff; --known: #5c3d00; --known-wash: #fff; --link: #000;
  }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  summary { list-style: none; }
  summary::-webkit-details-marker { display: none; }
  a { text-decoration: none; }
  .up, .skip { display: none; }
  .attack { break-before: page; border-top: 0; padding-top: 0; margin-top: 0; }
  h2, h3, h4, summary, thead, .case > .facts { break-after: avoid; }
  tr, .case > .facts, .bytes li, svg { break-inside: avoid; }
  .scroll, .diagram { overflow: visible; background: none; }
  .all-cases table { min-width: 0; }
  .diagram svg { min-width: 0; }
  .badge.broken, .badge.not-shown, .badge.disagrees, .badge.error { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

/** The style of the whole page. Print comes last: it overrides. */
export const STYLE = COLOURS + TEXT + TABLES + ATTACKS + DIAGRAM_STYLE + PRINT;
