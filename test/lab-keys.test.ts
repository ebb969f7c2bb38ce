import { SUITES } from "@pawl/protocol";
import { describe, expect, it, vi } from "vitest";
import { attackById, isGood, runLab } from "../packages/lab/src/index.ts";

/** Attacks on keys, stores, time, lengths and limits: over real sockets, against all suites. */

vi.setConfig({ testTimeout: 240_000 });

/** What each is to come to, in the order of classic, strict, strict-gcm. */
const VERDICTS: Readonly<Record<string, readonly [string, string, string]>> = {
  "repeated-message": ["held", "held", "held"],
  "keys-of-one-direction": ["shown", "held", "held"],
  "stolen-round-keys": ["held", "held", "held"],
  "stolen-stores": ["shown", "held", "held"],
  "challenge-of-another-hello": ["shown", "held", "held"],
  "cloned-credential": ["shown", "held", "held"],
  "rollback-client": ["skipped", "held", "held"],
  "rollback-server": ["skipped", "held", "held"],
  "drop-what-moves": ["skipped", "held", "held"],
  "crash-between": ["skipped", "held", "held"],
  "forged-hello": ["skipped", "held", "held"],
  "before-the-commit": ["skipped", "held", "held"],
  "unfair-client": ["held", "held", "held"],
  "message-lengths": ["shown", "held", "held"],
  "same-silence": ["held", "held", "held"],
};
/** Those that measure times, where other tests are running: no more than that they can be carried out. */
const QUIET = ["same-time", "flood"];

const named = (ids: readonly string[]) => ids.map((id) => attackById(id) ?? expect.fail(`no attack ${id}`));

describe("attacks on keys, stores, lengths and rounds", () => {
  it("fail in strict, and work in classic where that is known", async () => {
    const report = await runLab({ suites: SUITES, attacks: named(Object.keys(VERDICTS)), honest: 10 });
    const bad = report.results.flatMap(({ attack, suite, cases, reason }) => [
      ...(reason === null || cases.length === 0 ? [] : [`${attack.id} on ${suite}: ${reason}`]),
      ...cases
        .filter(({ verdict }) => !isGood(verdict))
        .map(
          ({ name, verdict, happened, refusedBy }) =>
            `${attack.id} on ${suite}, ${name}: ${verdict}, ${happened} (${refusedBy})`,
        ),
    ]);
    expect(bad).toEqual([]);
    const verdicts = Object.fromEntries(
      Object.keys(VERDICTS).map((id) => [
        id,
        report.results.filter(({ attack }) => attack.id === id).map(({ verdict }) => verdict),
      ]),
    );
    expect(verdicts).toEqual(VERDICTS);
    expect(report.honest.flatMap(({ wrong }) => wrong)).toEqual([]);
  });
});

describe("attacks that measure", () => {
  it("can be carried out, and nobody answers a bad packet or harms a session", async () => {
    const report = await runLab({ suites: SUITES, attacks: named(QUIET), honest: 0 });
    for (const { attack, suite, cases, reason } of report.results) {
      expect({ id: attack.id, suite, reason }).toEqual({ id: attack.id, suite, reason: null });
      expect(cases.length).toBeGreaterThanOrEqual(3);
      for (const { happened, figures } of cases) {
        expect(Object.values(figures ?? {}).every(Number.isFinite)).toBe(true);
        expect(happened).not.toMatch(/were answered|harmed: |no event|was refused|at an end/);
      }
    }
  });
});
