import { visible } from "./text.ts";

/** Markup that is safe to put into a page: made by `html`, which escapes all that is put into it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What a template may be filled with. Null and false leave nothing. */
export type Fill = string | number | Html | null | false | readonly Fill[];

/** A template of HTML or SVG: whatever is filled in is text, unless it is `Html` itself. */
export function html(parts: TemplateStringsArray, ...fills: readonly Fill[]): Html {
  return new Html(
    parts.reduce((text, part, index) => text + part + (index < fills.length ? render(fills[index]) : ""), ""),
  );
}

function render(fill: Fill | undefined): string {
  if (fill === undefined || fill === null || fill === false) return "";
  if (fill instanceof Html) return fill.text;
  return typeof fill === "object" ? fill.map(render).join("") : escapeText(String(fill));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for quoted attributes. */
export function escapeText(text: string): string {
  return visible(text).replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);
}
