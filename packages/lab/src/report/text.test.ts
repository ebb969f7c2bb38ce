import { describe, expect, it } from "vitest";
import { escapeText, html } from "./html.ts";
import { clip, columnsOf, duration, wrap } from "./text.ts";

describe("text", () => {
  it("breaks lines between words, within words only where it must, and clips the last", () => {
    expect(wrap("the server sent not a byte", 10, 5)).toEqual(["the server", "sent not a", "byte"]);
    expect(wrap("aaaaaaaaaaaaaaa bb", 10, 5)).toEqual(["aaaaaaaaaa", "aaaaa bb"]);
    expect(wrap("one two three four five", 9, 2)).toEqual(["one two", "three fo…"]);
    expect(wrap("  \n ", 9, 2)).toEqual([]);
  });

  it("counts what is wide as two columns", () => {
    expect(columnsOf("a→…")).toBe(3);
    expect(columnsOf("語")).toBe(2);
    expect(wrap("語語語語", 4, 3)).toEqual(["語語", "語語"]);
    expect(clip("語語語", 4)).toBe("語…");
  });

  it("counts controls as they are shown, so that nothing grows after it was measured", () => {
    const lines = wrap(`a${"\u202e".repeat(9)}`, 16, 9);
    expect(lines.join("")).toBe(`a${"\\u{202e}".repeat(9)}`);
    for (const line of lines) expect(escapeText(line)).toHaveLength(line.length);
  });

  it("tells durations in three digits or so", () => {
    expect([0.04, 12.34, 345.6, 4_210, 61_000].map(duration)).toEqual([
      "0.0 ms",
      "12.3 ms",
      "346 ms",
      "4.2 s",
      "61 s",
    ]);
  });
});

describe("html", () => {
  it("escapes what is filled in, in text and in attributes, lists included", () => {
    const bad = `<script>alert("x")</script>&'`;
    const safe = "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;";
    expect(html`<p title="${bad}">${[bad, 1]}${null}${false}</p>`.text).toBe(
      `<p title="${safe}">${safe}1</p>`,
    );
  });

  it("leaves markup of its own alone", () => {
    expect(html`<ul>${["a", "<b>"].map((word) => html`<li>${word}</li>`)}</ul>`.text).toBe(
      "<ul><li>a</li><li>&lt;b&gt;</li></ul>",
    );
  });

  it("shows controls, marks of direction and halves of characters", () => {
    expect(escapeText("a\u0000b\u202ec\u200bd\ud800e\tf\n")).toBe(
      "a\\u{0}b\\u{202e}c\\u{200b}d\\u{d800}e\tf\n",
    );
    expect(escapeText("π→✓😀")).toBe("π→✓😀");
  });
});
