import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { fillMarkers, readSpecification } from "../docs/tools/specification.ts";

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

describe("docs/PROTOCOL.md", () => {
  it("has the state diagrams of the tables of transitions (npm run docs)", () => {
    const text = readSpecification();
    expect(text === fillMarkers(text)).toBe(true);
  });

  it("maps the original protocol to modules and tests that exist", () => {
    const text = readSpecification();
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
