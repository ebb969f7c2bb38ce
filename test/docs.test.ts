import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { DOCUMENTS } from "../docs/tools/documents.ts";
import { readDocument } from "../docs/tools/markers.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "vectors/README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

describe("what documents have from the code (npm run docs)", () => {
  it.each(Object.entries(DOCUMENTS))("is up to date in %s", (_name, document) => {
    const { is, shouldBe } = readDocument(document);
    expect(is === shouldBe).toBe(true);
  });
});

describe("docs/PROTOCOL.md", () => {
  it("maps the original protocol to modules and tests that exist", () => {
    const text = readFileSync(join(root, "docs/PROTOCOL.md"), "utf8");
    const named = [
      ...text.matchAll(/`((?:packages|test|vectors|examples)\/[\w./-]+\.(?:ts|json|md))(?::[^`]*)?`/g),
    ].map((m) => m[1] ?? "");
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe("the documents", () => {
  it.each(documents)("%s links to files that exist", (name) => {
    const text = readFileSync(join(root, name), "utf8");
    const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((m) => m[1] ?? "");
    const broken = links.filter((link) => !existsSync(resolve(root, dirname(name), link)));
    expect(broken).toEqual([]);
    expect(statSync(join(root, name)).size).toBeGreaterThan(200);
  });
});
