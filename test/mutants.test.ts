import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLAIMS } from "@pawl/lab";
import { beforeAll, describe, expect, it } from "vitest";
import { buildOf, StaleMutantError, staleAmong } from "./mutants/build.ts";
import { type Matrix, rowOf, runMatrix } from "./mutants/matrix.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { MUTANTS } from "./mutants/mutants.ts";
import { complaintsOf, complaintsOfControl, complaintsOfRow, linesOf, markdownOf } from "./mutants/report.ts";
import type { Finding, Trial } from "./mutants/trials.ts";

/** Whether the attacks would notice: each build of the protocol that is broken on purpose is caught by one of them. */

it("has no mutant whose text has changed", async () => {
  expect(await staleAmong(MUTANTS)).toEqual([]);
});

describe("the matrix of mutants and attacks", () => {
  let matrix: Matrix;

  beforeAll(async () => {
    matrix = await runMatrix({ mutants: MUTANTS });
    const place = join(tmpdir(), "pawl-mutants");
    await writeFile(`${place}.md`, markdownOf(matrix));
    await writeFile(`${place}.json`, JSON.stringify(matrix));
    process.stdout.write(`${linesOf(matrix).join("\n")}\nalso in ${place}.md and ${place}.json\n`);
  }, 600_000);

  it("has nothing against the build without a mistake", () => {
    expect(matrix.control.length).toBeGreaterThan(0);
    expect(matrix.control.flatMap(complaintsOfControl)).toEqual([]);
  });

  it.each(MUTANTS)("$id is caught", ({ id }) => {
    const row = matrix.rows.find(({ mutant }) => mutant.id === id);
    expect(row && complaintsOfRow(row)).toEqual([]);
  });
});

it("breaks every claim in one mutant at least", () => {
  const broken = new Set(MUTANTS.flatMap(({ claims }) => claims));
  expect([...broken].sort()).toEqual(Object.keys(CLAIMS).sort());
});

const mutant: Mutant = {
  id: "sample",
  wrong: "Everything.",
  claims: ["replay"],
  changes: [{ file: "protocol/session.js", find: "export class Session", replace: "export class Session" }],
};

function trialOf(findings: readonly Finding[], more: Partial<Trial> = {}): Trial {
  return { mutant, suite: "strict", findings, unfinished: [], harm: [], failures: [], ms: 0, ...more };
}

const found = (verdict: Finding["verdict"], claim: Finding["claim"] = "replay"): Finding => ({
  attack: `an attack on ${claim}`,
  claim,
  verdict,
  why: "it was seen",
});

describe("its judge", () => {
  const complaints = (of: Mutant, ...findings: Finding[]) => complaintsOfRow(rowOf(of, trialOf(findings)));

  it("wants a mutant to be caught, on each of its claims", () => {
    expect(complaints(mutant, found("broken"))).toEqual([]);
    expect(complaints(mutant, found("held"), found("error"))).toEqual(["sample: no attack caught it"]);
    expect(complaints(mutant, found("broken", "order"))).toEqual(["sample: no attack on replay caught it"]);
  });

  it("takes another error than is due for a catch only where a back stop is named, and that has to hold", () => {
    const backed: Mutant = { ...mutant, backstop: "Something else." };
    expect(complaints(mutant, found("disagrees"))).toEqual(["sample: no attack caught it"]);
    expect(complaints(backed, found("disagrees"))).toEqual([]);
    expect(complaints(backed, found("disagrees"), found("broken"))).toEqual([
      expect.stringContaining("is said to be stopped"),
    ]);
  });

  it("wants a build without a mistake to come through, and through everything", () => {
    const control = { mutant: null };
    expect(complaintsOfControl(trialOf([found("held"), found("shown")], control))).toEqual([]);
    expect(complaintsOfControl(trialOf([], control))).toHaveLength(1);
    for (const verdict of ["broken", "disagrees", "not-shown", "error"] as const)
      expect(complaintsOfControl(trialOf([found(verdict)], control))).toHaveLength(1);
    for (const part of ["unfinished", "harm", "failures"] as const)
      expect(complaintsOfControl(trialOf([found("held")], { ...control, [part]: ["x"] }))).toHaveLength(1);
  });

  it("prints an attack that had no end as one that was not carried out", () => {
    const trial = trialOf([found("broken")], { unfinished: ["another"] });
    const matrix: Matrix = { control: [], rows: [rowOf(mutant, trial)] };
    expect(linesOf(matrix)).toContain("sample  B e");
    expect(markdownOf(matrix)).toContain("| sample | B | e |");
    expect(complaintsOf(matrix)).toEqual([]);
  });
});

describe("a mutant", () => {
  it("is stale where its text is not there, or not there alone", async () => {
    const change = { file: "protocol/session.js", replace: "" } as const;
    const build = (find: string) => buildOf({ ...mutant, changes: [{ ...change, find }] });
    await expect(build("nobody has written this")).rejects.toThrow(StaleMutantError);
    await expect(build("return")).rejects.toThrow(
      /mutant sample is stale: in protocol\/session\.js .* not once/,
    );
  });

  it("has an id of its own", () => {
    expect(new Set(MUTANTS.map(({ id }) => id)).size).toBe(MUTANTS.length);
  });
});
