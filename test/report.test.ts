import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ATTACKS, type Attack, type LabReport, renderReport, runLab } from "@pawl/lab";
import { SUITES } from "@pawl/protocol";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, openChromium } from "./support/chromium.ts";
import { everyDeed } from "./support/every-deed.ts";

/**
 * The report of a real run, in a real browser, from a file. `PAWL_SCREENSHOTS=folder` keeps pictures of it, to be looked at.
 */
const screenshots = process.env.PAWL_SCREENSHOTS;
const checks = readFileSync(new URL("support/in-page.js", import.meta.url), "utf8");

/** One attack for each claim, and one that does everything that can be drawn. */
const attacks: readonly Attack[] = [
  ...ATTACKS.filter(
    ({ claim, needs }, index) =>
      needs?.includes("quiet") !== true && ATTACKS.findIndex((other) => other.claim === claim) === index,
  ),
  everyDeed,
];

describe.skipIf(chromiumPath === undefined)("the HTML report (needs Chromium)", () => {
  let folder: string;
  let file: string;
  const noise: string[] = [];
  const requests: string[] = [];
  let report: LabReport;
  let context: BrowserContext;
  let page: Page;
  let closeBrowser: () => Promise<void>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "pawl-report-"));
    file = join(folder, "report.html");
    // What is not done by then is an error, and drawn as far as it came.
    report = await runLab({ suites: SUITES, attacks, honest: 3, limitMs: 15_000 });
    writeFileSync(file, renderReport(report));
    ({ context, close: closeBrowser } = await openChromium());
    page = await context.newPage();
    page.on("console", (message) => noise.push(message.text()));
    page.on("pageerror", (error) => noise.push(error.message));
    page.on("request", (request) => requests.push(request.url()));
    await open();
  }, 300_000);

  afterAll(async () => {
    await closeBrowser?.();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (check: "overlaps" | "faint" | "wide" | "unnamed" | "unfold") =>
    page.evaluate(`inPage.${check}()`);
  const drawingOf = (id: string) => page.locator(`[id="${id}"] .diagram`).first();

  it("asks for nothing but itself, and breaks no policy", async () => {
    await page.waitForLoadState("networkidle");
    expect(requests.filter((url) => url !== "about:blank")).toEqual([pathToFileURL(file).href]);
    expect(noise).toEqual([]);
  });

  it("has the verdicts of the run, each as often", async () => {
    const cells = page.locator("table.summary [data-verdict]");
    expect(await cells.count()).toBe(report.results.length);
    for (const verdict of new Set(report.results.map((result) => result.verdict))) {
      const times = report.results.filter((result) => result.verdict === verdict).length;
      expect(await page.locator(`table.summary [data-verdict="${verdict}"]`).count(), verdict).toBe(times);
    }
  });

  it("unfolds what its table links to", async () => {
    const folded = page.locator("details.suite:not([open]) .result").first();
    const id = await folded.getAttribute("id");
    expect(await folded.isVisible()).toBe(false);
    await page.locator(`table.summary a[href="#${id}"]`).click();
    expect(await page.locator(`[id="${id}"]`).isVisible()).toBe(true);
  });

  it("shows a diagram of every attack that recorded something", async () => {
    await ask("unfold");
    for (const { attack, suite, cases } of report.results) {
      if (!cases.some(({ recording }) => recording !== null)) continue;
      expect(await drawingOf(`attack-${attack.id}--${suite}`).isVisible(), `${attack.id} on ${suite}`).toBe(
        true,
      );
    }
  });

  it("draws an exchange as it was: headers, what went on in place of what, the check that refused it", async () => {
    const rows = drawingOf("attack-every-deed--strict").locator("g.row");
    const titles = await rows.locator("text.title").allTextContents();
    expect(titles.map((title) => title.split(" · ").slice(0, 2).join(" "))).toEqual([
      "HELLO round 0",
      "CHALLENGE round 0",
      "DATA round 1",
      "DATA round 1",
    ]);
    expect(await rows.locator(".leg.forged").count()).toBe(1);
    expect(await rows.locator("text.said").allTextContents()).toEqual(["bit 3 of byte 79 (tag) turned"]);
    expect(await rows.locator("text.refusal").allTextContents()).toEqual(["HmacError — check 8: the tag"]);
  });

  it("draws every deed with a sign of its own", async () => {
    const signs: Readonly<Record<string, string>> = {
      altered: ".part.changed",
      dropped: ".glyph.cross",
      held: ".glyph.cross",
      delayed: ".glyph.bars",
      copied: ".leg.forged",
      reflected: ".glyph.cross",
      injected: ".leg.forged",
      cut: ".bar.cut",
    };
    for (const [name, sign] of Object.entries(signs)) {
      const one = page
        .locator(`[id="attack-every-deed--strict"] .case`)
        .filter({ has: page.locator(`h4:text("${name}")`) });
      expect(await one.locator(sign).count(), name).toBeGreaterThan(0);
    }
    const altered = page.locator(`[id="attack-every-deed--strict"] .bytes`).first();
    expect(await altered.locator("ol ins").count()).toBe(1);
    expect(await altered.locator("li.changed .name").allTextContents()).toEqual(["tag"]);
  });

  it.each([380, 800, 1280])(
    "at %i pixels does not scroll sideways, and has no text on another",
    async (width) => {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.locator("svg:visible").count()).toBeGreaterThan(report.results.length);
      expect(await ask("wide")).toEqual([]);
      expect(await ask("overlaps")).toEqual([]);
      await picture(`${width}`);
    },
  );

  it.each(["light", "dark"] as const)("stands out from its ground when %s", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    expect(await ask("faint")).toEqual([]);
    await picture(colorScheme);
  });

  it("has names and structure for who cannot see it, and is reached by keys", async () => {
    expect(await ask("unnamed")).toEqual([]);
    await open();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.className")).toBe("skip");
    await page.keyboard.press("Enter");
    expect(new URL(page.url()).hash).toBe("#summary");
  });

  it("prints whole, on white, each attack on a page of its own, whatever is folded", async () => {
    await open();
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    const folded = page.locator("details:not([open]) svg").first();
    expect((await folded.boundingBox())?.height).toBeGreaterThan(50);
    expect(await ask("faint")).toEqual([]);
    const pdf = await page.pdf({ format: "A4" });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    const pages = pdf.toString("latin1").match(/\/Type \/Page\b(?!s)/g) ?? [];
    expect(pages.length).toBeGreaterThan(attacks.length);
    if (screenshots !== undefined) writeFileSync(join(screenshots, "report.pdf"), pdf);
  });

  /** As it is when somebody opens it: folded, at its top. */
  async function open(): Promise<void> {
    await page.goto("about:blank");
    await page.goto(pathToFileURL(file).href);
    await page.evaluate(checks);
  }

  async function picture(name: string): Promise<void> {
    if (screenshots === undefined) return;
    mkdirSync(screenshots, { recursive: true });
    await page.screenshot({ path: join(screenshots, `report-${name}.png`), fullPage: true });
  }
});
