import { type Fill, type Html, html } from "./html.ts";

/** Names and what is to be said of them, side by side where there is room. */
export function facts(all: readonly (readonly [name: string, what: Fill] | null)[]): Html {
  const rows = all.map((fact) => fact !== null && html`<div><dt>${fact[0]}</dt><dd>${fact[1]}</dd></div>`);
  return html`<dl class="facts">${rows}</dl>`;
}

/** A table that scrolls by itself where it is wider than the page. @param bodies rows, or whole bodies of them */
export function table(look: string, label: string, columns: readonly string[], bodies: Fill): Html {
  const heads = columns.map((column) => html`<th scope="col">${column}</th>`);
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${label}">
<table class="${look}"><thead><tr>${heads}</tr></thead>${bodies}</table></div>`;
}

/** A row: the first cell is its head. */
export function row([head, ...cells]: readonly Fill[]): Html {
  return html`<tr><th scope="row">${head ?? ""}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`;
}

/** What is less important. */
export function quiet(words: Fill): Html {
  return html`<span class="quiet">${words}</span>`;
}
