import {
  type AttackResult,
  isGood,
  type LabReport,
  type NamedRecording,
  type Recording,
  type Verdict,
} from "@pawl/lab";

/** What `pawl lab run` prints of an attack and of them all. */

/** What is right is in lower case. */
const VERDICTS: Readonly<Record<Verdict, string>> = {
  held: "held",
  shown: "shown",
  skipped: "skipped",
  broken: "BROKEN",
  "not-shown": "NOT SHOWN",
  disagrees: "DISAGREES",
  error: "ERROR",
};

/** For machines: without the bytes. */
export function resultObject({ attack, cases, ...result }: AttackResult): object {
  return {
    type: "result",
    attack: attack.id,
    ...result,
    cases: cases.map(({ recording: _recording, ...one }) => one),
  };
}

/** What each case recorded, once, under the name of the first that has it. */
export function capturesOf({ results }: LabReport): NamedRecording[] {
  const captures = new Map<Recording, NamedRecording>();
  for (const { attack, suite, cases } of results) {
    for (const { name, recording } of cases) {
      if (recording === null || captures.has(recording)) continue;
      captures.set(recording, {
        name: [`${attack.id} on ${suite}`, name].filter(Boolean).join(": "),
        recording,
      });
    }
  }
  return [...captures.values()];
}

const HEAD = ["CLAIM", "ATTACK", "SUITE", "THE ATTACKER", "WHAT HAPPENED", "VERDICT"];
const NARROWEST = 100;
const WIDEST = 200;
const GAP = 2;

export interface ResultsTable {
  readonly head: string;
  readonly rows: readonly { readonly lines: readonly string[]; readonly good: boolean }[];
}

/** Suites on which an attack fared alike share a row. @param columns of the terminal */
export function resultsTable(results: readonly AttackResult[], columns = 140): ResultsTable {
  const rows = merged(results).map(({ first, suites }) => ({
    cells: cellsOf(first, suites),
    good: isGood(first.verdict),
  }));
  const width = Math.min(Math.max(columns, NARROWEST), WIDEST) - 1;
  const widths = HEAD.map((head, i) =>
    Math.max(head.length, ...rows.map(({ cells }) => cells[i]?.length ?? 0)),
  );
  const fixed = [0, 1, 2, 5].reduce((sum, i) => sum + (widths[i] ?? 0), GAP * (HEAD.length - 1));
  for (const i of [3, 4]) widths[i] = Math.max(20, Math.floor((width - fixed) / 2));
  return {
    head: layOut(HEAD, widths).join(""),
    rows: rows.map(({ cells, good }) => ({ lines: layOut(cells, widths), good })),
  };
}

function cellsOf(result: AttackResult, suites: readonly string[]): string[] {
  const { attack, claim, cases, verdict, reason } = result;
  // What made the verdict.
  const one = cases.find((other) => other.verdict === verdict) ?? cases[0];
  const many = cases.length > 1 ? `${cases.length} cases, such as: ` : "";
  const did = one === undefined ? "" : many + one.did;
  const happened = [one?.happened, reason].filter((text) => text !== undefined && text !== null).join("; ");
  return [claim, attack.id, suites.join(", "), did, happened, VERDICTS[verdict]];
}

function merged(results: readonly AttackResult[]): { first: AttackResult; suites: string[] }[] {
  const rows: { first: AttackResult; suites: string[] }[] = [];
  for (const result of results) {
    const row = rows.find(
      ({ first }) =>
        first.attack === result.attack && first.verdict === result.verdict && first.reason === result.reason,
    );
    if (row === undefined) rows.push({ first: result, suites: [result.suite] });
    else row.suites.push(result.suite);
  }
  return rows;
}

/** One row, wrapped within its columns. */
function layOut(row: readonly string[], widths: readonly number[]): string[] {
  const cells = row.map((text, i) => wrap(text, widths[i] ?? 0));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, i) => (lines[line] ?? "").padEnd(widths[i] ?? 0))
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Counts, and how the honest clients fared. */
export function summaryOf({ results, honest, ms, ok }: LabReport): string[] {
  const count = (verdict: Verdict) => results.filter((result) => result.verdict === verdict).length;
  const counts = (Object.keys(VERDICTS) as Verdict[])
    .map((verdict) => ({ verdict, of: count(verdict) }))
    .filter(({ of }) => of > 0)
    .map(({ verdict, of }) => `${of} ${VERDICTS[verdict]}`);
  const fleets = honest.map(({ suite, clients, rounds, wrong }) => {
    const harm = wrong.length === 0 ? "every aggregate right, no session harmed" : wrong[0];
    return `Meanwhile, ${suite}: ${clients} honest clients, ${rounds} rounds, ${harm}.`;
  });
  const all = ok
    ? "Every claim that was tried held, and every known weakness was shown."
    : "Not all is as the specification says.";
  return [...fleets, `${counts.join(", ")} in ${(ms / 1_000).toFixed(1)} s. ${all}`];
}
