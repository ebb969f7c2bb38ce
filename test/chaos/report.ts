import { describeFault, type Fault, kindOf } from "./faults.ts";
import type { ChaosResult, Run } from "./harness.ts";

export interface Summary {
  readonly seed: number;
  readonly runs: number;
  readonly systematic: number;
  readonly kinds: readonly { readonly kind: string; readonly injected: number; readonly fired: number }[];
  readonly fired: number;
  /** Runs in which the client had to be started more than once: see `Trial` when it may. */
  readonly slow: number;
  readonly violations: readonly {
    readonly run: number;
    readonly fault: Fault;
    readonly violations: readonly string[];
    readonly kept: string | null;
  }[];
  readonly interrupted: boolean;
  readonly seconds: number;
}

export function summarize(result: ChaosResult, seed: number, seconds: number): Summary {
  const { runs, systematic, interrupted } = result;
  const kinds = new Map<string, { injected: number; fired: number }>();
  for (const { fault, fired } of runs) {
    const kind = kindOf(fault);
    const { injected, fired: before } = kinds.get(kind) ?? { injected: 0, fired: 0 };
    kinds.set(kind, { injected: injected + 1, fired: before + (fired ? 1 : 0) });
  }
  return {
    seed,
    runs: runs.length,
    systematic,
    kinds: [...kinds]
      .map(([kind, counts]) => ({ kind, ...counts }))
      .sort((a, b) => (a.kind < b.kind ? -1 : 1)),
    fired: runs.filter(({ fired }) => fired).length,
    slow: runs.filter(({ attempts }) => attempts > 1).length,
    violations: runs
      .filter(({ violations }) => violations.length > 0)
      .map(({ number, fault, violations, kept }) => ({
        run: number,
        fault,
        violations,
        kept,
      })),
    interrupted,
    seconds,
  };
}

export function linesOf(summary: Summary): string[] {
  const { kinds, runs, fired, systematic, slow, violations, seed, seconds, interrupted } = summary;
  const width = Math.max(...kinds.map(({ kind }) => kind.length), 5);
  const row = (kind: string, injected: string | number, struck: string | number) =>
    `${kind.padEnd(width)}  ${String(injected).padStart(8)}  ${String(struck).padStart(6)}`;
  return [
    row("fault", "injected", "struck"),
    ...kinds.map(({ kind, injected, fired: struck }) => row(kind, injected, struck)),
    row("all", runs, fired),
    "",
    ...violations.flatMap((one) => [
      `run ${one.run}, ${describeFault(one.fault)}:`,
      ...one.violations.map((text) => `  ${text}`),
      `  again: npm run chaos -- --only ${one.run} --keep --fault '${JSON.stringify(one.fault)}'`,
      ...(one.kept === null ? [] : [`  files: ${one.kept}`]),
    ]),
    `${interrupted ? "interrupted; " : ""}${violations.length} violations in ${runs} runs, seed ${seed}, ${seconds} s`,
    ...(systematic === 0 ? [] : [`${systematic} faults can be told by their place in the scenario`]),
    ...(slow === 0 ? [] : [`${slow} times the client had to be started more than once`]),
  ];
}

export function progressLine(run: Run, done: number, of: number): string {
  const verdict = run.violations.length > 0 ? "VIOLATION" : run.fired ? "held" : "did not strike";
  return `${done}/${of}  ${describeFault(run.fault)}: ${verdict}`;
}
