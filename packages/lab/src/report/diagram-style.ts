/** The style of sequence diagrams and of byte strips. */
export const DIAGRAM_STYLE = `
.diagram {
  overflow-x: auto; padding-bottom: .25rem;
  /* A shade at an edge behind which there is more. */
  background:
    linear-gradient(to right, var(--paper) 40%, transparent) left / 3rem 100% local,
    linear-gradient(to left, var(--paper) 40%, transparent) right / 3rem 100% local,
    linear-gradient(to right, var(--shade), transparent) left / .75rem 100% scroll,
    linear-gradient(to left, var(--shade), transparent) right / .75rem 100% scroll;
  background-repeat: no-repeat;
}
.diagram svg { display: block; height: auto; max-width: 100%; }
/* Smaller it could not be read: it scrolls. */
.diagram svg.wide { min-width: 40rem; }
.diagram text { font: 11px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; fill: var(--ink); white-space: pre; }
.diagram .life { stroke: var(--line); stroke-width: 1.5; fill: none; }
.diagram .life.attacker { stroke: var(--hot); stroke-width: 1; stroke-dasharray: 2 4; }
.diagram rect.party { fill: var(--raised); stroke: var(--ink); }
.diagram rect.party.attacker { stroke: var(--hot); stroke-dasharray: 3 2; }
.diagram text.party { font-weight: 600; }
.diagram text.title { font-weight: 600; }
.diagram text.detail, .diagram text.aside, .diagram text.note { fill: var(--quiet); }
.diagram text.aside { font-size: 10px; }
.diagram text.hot { fill: var(--hot); font-weight: 600; }
.diagram text.note, .diagram text.fold { font-style: italic; }
.diagram rect.back { fill: var(--paper); }
.diagram .leg { stroke: var(--ink); stroke-width: 1.25; fill: none; }
.diagram .head { fill: var(--ink); }
.diagram .leg.unread { stroke-dasharray: 1 3; }
.diagram .leg.late { stroke: var(--hot); stroke-width: 2; }
.diagram .leg.forged { stroke: var(--hot); stroke-width: 2; stroke-dasharray: 7 4; }
.diagram .head.late, .diagram .head.forged { fill: var(--hot); }
.diagram .leg.ending { stroke: var(--quiet); stroke-width: 1; }
.diagram .bar { stroke: var(--quiet); stroke-width: 2.5; fill: none; }
.diagram .leg.cut, .diagram .bar.cut { stroke: var(--hot); }
.diagram .leg.cut { stroke-dasharray: 7 4; stroke-width: 1.5; }
.diagram .glyph { stroke: var(--hot); fill: var(--hot); }
.diagram .glyph.open { stroke: var(--ink); fill: var(--paper); }
.diagram .glyph.cross, .diagram .glyph.bars { fill: none; stroke-width: 2.75; }
.diagram .part { fill: var(--raised); stroke: var(--quiet); stroke-width: .75; }
.diagram .part.changed { fill: var(--hot); stroke: var(--hot); }
.diagram path.refusal { fill: var(--cool-wash); stroke: var(--cool); stroke-width: 1.5; }
.diagram text.refusal { fill: var(--cool); font-weight: 600; }
.bytes { margin-top: 1.25rem; font-size: .85rem; }
.bytes figcaption { color: var(--quiet); }
.bytes ol { list-style: none; padding: 0; margin-top: .5rem; display: flex; flex-wrap: wrap; gap: .35rem; }
.bytes li { border: 1px solid var(--line); border-radius: 3px; padding: .15rem .4rem .25rem; max-width: 100%; }
.bytes li.changed { border: 2px solid var(--hot); background: var(--hot-wash); }
.bytes .name { display: block; color: var(--quiet); font-size: .75rem; }
.bytes li.changed .name { color: var(--hot); font-weight: 600; }
.bytes code { display: block; }
.bytes li.folded { border-style: dashed; }
.bytes del { color: var(--quiet); }
.bytes ins { text-decoration: none; color: var(--hot); font-weight: 700; box-shadow: 0 0 0 1px var(--hot); box-decoration-break: clone; -webkit-box-decoration-break: clone; }
`;
