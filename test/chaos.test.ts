import { describe, expect, it } from "vitest";
import { type Dry, everyFault, kindOf, planRuns } from "./chaos/faults.ts";
import { runChaos } from "./chaos/harness.ts";
import type { CallPoint } from "./chaos/injector.ts";
import { Ledger } from "./chaos/ledger.ts";
import { SeededRandom } from "./chaos/random.ts";
import { linesOf, summarize } from "./chaos/report.ts";
import { hasCompiler } from "./support/machine.ts";

/** A few runs of `npm run chaos`, and that its judges can tell right from wrong. */

describe("chaos", () => {
  it.skipIf(!hasCompiler)(
    "in a few places breaks nothing that must hold (needs cc)",
    async () => {
      const result = await runChaos({ runs: 16, seed: 1, lanes: 4 });
      expect(
        result.runs.flatMap(({ number, violations }) => violations.map((text) => `run ${number}: ${text}`)),
      ).toEqual([]);
      expect(result.runs).toHaveLength(16);
      expect(result.systematic).toBeGreaterThan(300);
      const struck = result.runs.filter(({ fired }) => fired);
      expect(struck.length).toBeGreaterThan(12);
      expect(linesOf(summarize(result, 1, 0)).join("\n")).toContain("0 violations in 16 runs, seed 1");
    },
    120_000,
  );

  it("ends at once when it is stopped", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    const startedAt = performance.now();
    const { interrupted, runs } = await runChaos({ runs: 100, seed: 1, lanes: 2, signal: stop.signal });
    expect({ interrupted, runs }).toEqual({ interrupted: true, runs: [] });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  }, 30_000);
});

describe("the plan", () => {
  const at: CallPoint = { target: "log", call: "sync", nth: 1 };
  const dry: Dry = {
    start: "enrolled",
    calls: { server: [at], client: [{ ...at, target: "socket", call: "write" }] },
    frames: 2,
  };

  it("has every call before and after, and every frame", () => {
    expect(everyFault([dry]).map(kindOf)).toEqual([
      "server: log sync, kill before",
      "server: log sync, kill after",
      "server: log sync, EIO at",
      "client: socket write, kill before",
      "client: socket write, kill after",
      "client: socket write, kill in the middle of",
      ...[1, 2].flatMap(() => ["cut before frame", "cut within frame", "cut after frame"]),
    ]);
  });

  it("is the same for the same seed, takes all places where there is room, else a sample", () => {
    const plan = (runs: number, seed: number) =>
      planRuns(runs, everyFault([dry]), [dry], new SeededRandom(seed));
    expect(plan(40, 3)).toEqual(plan(40, 3));
    expect(plan(40, 3)).not.toEqual(plan(40, 4));
    expect(plan(40, 3).slice(0, 12)).toEqual(everyFault([dry]));
    expect(plan(40, 3)).toHaveLength(40);
    expect(plan(5, 3)).toHaveLength(5);
  });
});

describe("the ledger", () => {
  /** A client that was told that its message counts, in round 1 of server 1. */
  function acknowledged(): { ledger: Ledger; prime: string } {
    const ledger = new Ledger();
    const prime = ledger.issue(1);
    expect(ledger.acknowledge(1, 1, { round: 1, value: prime, aggregate: prime })).toEqual([]);
    return { ledger, prime };
  }
  const round = (aggregate: string, number = 1, contributors = 1) => ({
    server: 1,
    round: number,
    aggregate,
    contributors,
  });

  it("is content where each message counts once, acknowledged or not", () => {
    const { ledger, prime } = acknowledged();
    const other = ledger.issue(2);
    ledger.issue(2);
    expect(ledger.check([round(prime), round(other, 2)])).toEqual([]);
  });

  it("finds what was lost, counted twice, counted elsewhere, or never sent", () => {
    const { ledger, prime } = acknowledged();
    expect(ledger.check([])).toEqual([expect.stringContaining("counts in no round")]);
    expect(ledger.check([round(prime), round(prime, 2)])).toContainEqual(
      expect.stringContaining("counted twice"),
    );
    const squared = String(BigInt(prime) ** 2n);
    expect(ledger.check([round(squared, 1, 2)])).toContainEqual(expect.stringContaining("counted twice"));
    expect(ledger.check([round(prime, 2)])).toEqual([expect.stringContaining("counts in round 2")]);
    expect(ledger.check([round(prime), round("7", 2)])).toEqual([
      expect.stringContaining("none of messages"),
    ]);
    expect(ledger.check([round(prime, 1, 2)])).toEqual([expect.stringContaining("names 2 contributors")]);
    const again = { round: 2, value: prime, aggregate: prime };
    expect(ledger.acknowledge(1, 1, again)).toEqual([expect.stringContaining("answered twice")]);
    expect(ledger.acknowledge(2, 1, again)).toEqual([expect.stringContaining("never sent")]);
  });
});
