import { ATTACKS, DEFAULT_HONEST, isGood, type LabReport, runLab } from "@pawl/lab";
import { SUITES } from "@pawl/protocol";
import { beforeAll, describe, expect, it } from "vitest";

/** The catalogue as `pawl lab run` carries it out, on every suite, while honest clients do rounds. */

const isQuiet = ({ needs = [] }: (typeof ATTACKS)[number]) => needs.includes("quiet");
/** Those that measure times judge by them, and other tests are running: `.ci/run` has a run of the lab alone. */
const measuring = ATTACKS.filter(isQuiet);
const judged = ATTACKS.filter((attack) => !isQuiet(attack));
const onEverySuite = (attacks: typeof ATTACKS) =>
  attacks.flatMap((attack) => SUITES.map((suite) => ({ id: attack.id, suite: suite.name })));

let report: LabReport;
function resultOf(id: string, suite: string) {
  const result = report.results.find((other) => other.attack.id === id && other.suite === suite);
  return result ?? expect.fail(`${id} was not run on ${suite}`);
}

describe("the attacks", () => {
  beforeAll(async () => {
    report = await runLab({ suites: SUITES, attacks: judged });
  }, 300_000);

  it.each(onEverySuite(judged))("$id on $suite", ({ id, suite }) => {
    const { cases, expected, verdict, reason } = resultOf(id, suite);
    const bad = cases.filter((one) => !isGood(one.verdict)).map(({ recording: _recording, ...one }) => one);
    expect({ bad, reason: verdict === "skipped" ? null : reason }).toEqual({ bad: [], reason: null });
    expect(verdict).toBe({ fails: "held", works: "shown", "n/a": "skipped" }[expected]);
  });

  it("harm nobody honest: every aggregate right, every session unharmed", () => {
    expect(report.honest.map(({ suite, clients, wrong }) => ({ suite, clients, wrong }))).toEqual(
      SUITES.map(({ name }) => ({ suite: name, clients: DEFAULT_HONEST, wrong: [] })),
    );
    for (const { rounds, latencies } of report.honest) {
      expect(rounds).toBeGreaterThan(judged.length);
      expect(latencies.length).toBeGreaterThan(judged.length);
    }
    expect(report.ok).toBe(true);
  });
});

describe("the attacks that measure", () => {
  beforeAll(async () => {
    report = await runLab({ suites: SUITES, attacks: measuring, honest: 5 });
  }, 300_000);

  it.each(onEverySuite(measuring))("$id on $suite can be carried out, and harms nobody", ({ id, suite }) => {
    const { cases, reason } = resultOf(id, suite);
    expect(reason).toBe(null);
    expect(cases.length).toBeGreaterThanOrEqual(3);
    for (const { happened, figures } of cases) {
      expect(Object.values(figures ?? {}).every(Number.isFinite)).toBe(true);
      expect(happened).not.toMatch(/were answered|harmed: |no event|was refused|at an end/);
    }
    expect(report.honest.flatMap(({ wrong }) => wrong)).toEqual([]);
  });
});
