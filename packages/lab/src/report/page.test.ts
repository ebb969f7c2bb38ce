import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CLAIMS, type ClaimId } from "../claims.ts";
import type { AttackResult } from "../run-attack.ts";
import type { Verdict } from "../verdict.ts";
import { renderReport } from "./page.ts";
import { sampleAttack, sampleCase, sampleReport, sampleResult } from "./testing/reports.ts";

const occurrences = (page: string, part: string | RegExp) => page.split(part).length - 1;
const MB5 = 5_000_000;

describe("the page", () => {
  it("names date, suites, duration, versions, and what is wrong, if anything", () => {
    const good = renderReport(sampleReport([sampleResult()]), { versions: { "Node.js": "v1.2.3" } });
    for (const part of ["2026-11-26 10:20:30 UTC", "classic, strict, strict-gcm", "4.2 s", "v1.2.3"])
      expect(good).toContain(part);
    expect(good).toContain("Every promise that was tried held.");
    const all = Object.keys(CLAIMS) as ClaimId[];
    const whole = all.map((claim) => sampleResult({ claim, attack: sampleAttack({ id: claim, claim }) }));
    expect(renderReport(sampleReport(whole))).toContain("Every promise held.");
    const broken = sampleResult({ verdict: "broken", suite: "classic" });
    const bad = renderReport(sampleReport([sampleResult(), broken], { ok: false }));
    expect(bad).toContain("1 of 2 results is not as promised.");
    const harmed = sampleReport([sampleResult()], { ok: false });
    const wrong = {
      ...harmed,
      honest: harmed.honest.map((one) => ({ ...one, wrong: ["round 7 was <wrong>"] })),
    };
    expect(renderReport(wrong)).toContain("Honest clients were harmed.");
    expect(renderReport(wrong)).toContain("round 7 was &lt;wrong&gt;");
    expect(renderReport(sampleReport([]))).toContain("Nothing was tried.");
    expect(renderReport(sampleReport([sampleResult()], { honest: [] }))).toContain("There were none");
  });

  it("gives every result once in the table, and once where it is told", () => {
    const verdicts: Verdict[] = ["held", "shown", "broken", "not-shown", "disagrees", "skipped", "error"];
    const results = verdicts.map((verdict) =>
      sampleResult({ verdict, cases: [], attack: sampleAttack({ id: `a-${verdict}` }) }),
    );
    const page = renderReport(sampleReport(results, { ok: false }));
    const table = page.slice(page.indexOf('<table class="summary">'), page.indexOf("</table>"));
    for (const verdict of verdicts) {
      expect(occurrences(table, `data-verdict="${verdict}"`), verdict).toBe(1);
      expect(occurrences(page, `href="#attack-a-${verdict}--strict"`), verdict).toBe(1);
      expect(occurrences(page, ` id="attack-a-${verdict}--strict"`), verdict).toBe(1);
    }
    expect(occurrences(table, "not run")).toBe(2 * verdicts.length);
  });

  it("says of the honest clients' latencies the median and the 99th of 100", () => {
    const page = renderReport(sampleReport([sampleResult()]));
    expect(page).toMatch(/<td>50<\/td><td>1,234<\/td><td>all right<\/td><td>51\.0 ms<\/td><td>100 ms<\/td>/);
  });

  it("lets nobody write in it: names, deeds, notes, errors are text", () => {
    const evil = `</style><img src=x onerror="alert(1)">'&\u202e`;
    const one = sampleCase({
      name: evil,
      did: evil,
      happened: evil,
      refusedBy: evil,
      due: [evil],
      figures: { [evil]: 1 },
    });
    one.recording?.note(evil);
    const attack = sampleAttack({ title: evil, adversary: evil, steps: [evil], weakness: evil });
    const result = sampleResult({ attack, cases: [one, { ...one }], reason: evil });
    const page = renderReport(sampleReport([result], { startedAt: evil }), { versions: { [evil]: evil } });
    expect(page).not.toMatch(/<img|\u202e/);
    expect(occurrences(page, "</style>")).toBe(1);
    expect(page).toContain("&lt;/style&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;\\u{202e}");
  });

  it("allows itself its own style and nothing else", () => {
    const page = renderReport(sampleReport([sampleResult()]));
    const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? "";
    const digest = createHash("sha256").update(style).digest("base64");
    expect(page).toContain(
      `content="default-src &#39;none&#39;; style-src &#39;sha256-${digest}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"`,
    );
    expect(page).not.toMatch(/<script|<link|<iframe|<img|\ssrc=|\sstyle=|\son\w+=|https?:|@import|url\(/);
  });

  it("has each id once, and no link that leads nowhere", () => {
    const cases = [sampleCase(), sampleCase({ name: "another" })];
    const page = renderReport(sampleReport([sampleResult({ cases }), sampleResult({ suite: "classic" })]));
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const wanted = [...page.matchAll(/(?:href="#|aria-labelledby="|aria-describedby=")([^"]+)"/g)].map(
      ([, id]) => id,
    );
    expect(wanted.length).toBeGreaterThan(10);
    expect(wanted.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it("draws one recording once, and says where it is drawn", () => {
    const one = sampleCase();
    const page = renderReport(sampleReport([sampleResult({ cases: [one, { ...one, name: "again" }] })]));
    expect(occurrences(page, 'class="case-figure"')).toBe(1);
    expect(page).toContain('<a href="#attack-tamper-tag--strict-0">another case');
  });
});

describe("a very long run", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const broken = index === 3_000;
      return sampleCase({
        name: `bit ${index}`,
        ...(index % 2 === 0 ? {} : { refusedBy: "FormatError" }),
        ...(broken ? { verdict: "broken", worked: true } : {}),
      });
    });

  it("stays under 5 MB with 5,000 cases, counts all, draws each kind, lists what is wrong first", () => {
    const page = renderReport(
      sampleReport([sampleResult({ verdict: "broken", cases: many(5_000) })], { ok: false }),
    );
    expect(Buffer.byteLength(page)).toBeLessThan(MB5);
    expect(occurrences(page, 'class="case-figure"')).toBe(3);
    expect(page).toContain("2,499 cases, HmacError — check 8: the tag");
    expect(page).toContain("2,500 cases, FormatError — check 2 or 9: the form");
    const rows = page.slice(page.indexOf('<details class="all-cases">'));
    expect(rows).toMatch(/<tbody><tr><th scope="row">bit 3000<\/th>/);
    expect(rows).toContain("… 4,900 more cases, of the kinds above");
  });

  it("leaves out diagrams where the page is full, but none of what is wrong", () => {
    const results: AttackResult[] = Array.from({ length: 150 }, (_, index) =>
      sampleResult({
        attack: sampleAttack({ id: `a-${index}` }),
        verdict: index === 149 ? "broken" : "held",
        cases: many(8),
      }),
    );
    const page = renderReport(sampleReport(results, { ok: false }), { maxBytes: 1_500_000 });
    expect(Buffer.byteLength(page)).toBeLessThan(1_500_000);
    const [first, last] = ["attack-a-0", "attack-a-149"].map((id) =>
      page.slice(page.indexOf(`id="${id}"`), page.indexOf("</section>", page.indexOf(`id="${id}"`))),
    );
    expect(last).not.toContain("no room");
    expect(occurrences(last ?? "", 'class="case-figure"')).toBe(8);
    expect(first).toContain('class="case-figure"');
    expect(page).toContain("no room left for this diagram");
  });

  it("stays under 5 MB with a hundred attacks of a thousand cases each", () => {
    const cases = many(1_000);
    const results = Array.from({ length: 100 }, (_, index) =>
      sampleResult({ attack: sampleAttack({ id: `a-${index}` }), cases }),
    );
    expect(Buffer.byteLength(renderReport(sampleReport(results)))).toBeLessThan(MB5);
  });
});
