import { isGood, type Verdict } from "@pawl/lab";
import type { Matrix, Row } from "./matrix.ts";
import type { Trial } from "./trials.ts";

const LETTERS: Readonly<Record<Verdict, string>> = {
  broken: "B",
  "not-shown": "N",
  disagrees: "d",
  error: "e",
  held: "·",
  shown: "·",
  skipped: " ",
};
const LEGEND =
  "B broken, N a weakness not shown, d another error than is due, e not carried out, · as it should be, blank not tried";

function attacksOf({ control, rows }: Matrix): string[] {
  const trials = [...control, ...rows.map(({ trial }) => trial)];
  return [
    ...new Set(
      trials.flatMap(({ findings, unfinished }) => [...findings.map((f) => f.attack), ...unfinished]),
    ),
  ];
}

function cellOf({ findings, unfinished }: Trial, attack: string): string {
  const found = findings.find((finding) => finding.attack === attack);
  return found !== undefined ? LETTERS[found.verdict] : unfinished.includes(attack) ? "e" : " ";
}

function nameOf({ mutant, suite }: Trial): string {
  return `${mutant?.id ?? "(no mistake)"}${suite === "strict" ? "" : ` [${suite}]`}`;
}

/** For a terminal: a column for each attack under its number. */
export function linesOf(matrix: Matrix): string[] {
  const attacks = attacksOf(matrix);
  const trials = [...matrix.control, ...matrix.rows.map(({ trial }) => trial)];
  const width = Math.max(...trials.map((trial) => nameOf(trial).length));
  const digit = (number: number, place: number) =>
    number < place ? " " : String(Math.floor(number / place) % 10);
  const ruler = (place: number) => attacks.map((_, index) => digit(index + 1, place)).join(" ");
  const row = (trial: Trial) =>
    `${nameOf(trial).padEnd(width)}  ${attacks.map((attack) => cellOf(trial, attack)).join(" ")}`.trimEnd();
  return [
    ...attacks.map((attack, index) => `${String(index + 1).padStart(3)} ${attack}`),
    "",
    ...(attacks.length > 9 ? [`${" ".repeat(width)}  ${ruler(10)}`] : []),
    `${" ".repeat(width)}  ${ruler(1)}`,
    ...trials.map(row),
    "",
    LEGEND,
    ...complaintsOf(matrix),
  ];
}

/** A mutant, its mistake, and who caught it by what; then the whole matrix. */
export function markdownOf(matrix: Matrix): string {
  const attacks = attacksOf(matrix);
  const trials = [...matrix.control, ...matrix.rows.map(({ trial }) => trial)];
  const table = (rows: readonly (readonly string[])[]) =>
    rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
  const rule = (columns: number) => Array.from({ length: columns }, () => "---");
  const mistakes = matrix.rows.map(({ mutant, caughtBy }) => [
    `\`${mutant.id}\``,
    mutant.wrong,
    mutant.claims.join(", "),
    caughtBy.map(({ attack, verdict }) => `${attack} (${verdict})`).join(", ") || "**nobody**",
  ]);
  return [
    "# Mutants and the attacks that catch them",
    "",
    ...table([["mutant", "mistake", "claims", "caught by"], rule(4), ...mistakes]),
    "",
    `${LEGEND}.`,
    "",
    ...table([
      ["", ...attacks],
      rule(attacks.length + 1),
      ...trials.map((trial) => [nameOf(trial), ...attacks.map((attack) => cellOf(trial, attack))]),
    ]),
    "",
  ].join("\n");
}

/** What is not as it has to be, each in a line. */
export function complaintsOf({ control, rows }: Matrix): string[] {
  return [...control.flatMap(complaintsOfControl), ...rows.flatMap(complaintsOfRow)];
}

/** In a build without a mistake nothing is found, and every attack comes to its end. */
export function complaintsOfControl(trial: Trial): string[] {
  const { findings, unfinished, harm, failures } = trial;
  const bad = findings.filter(({ verdict }) => !isGood(verdict));
  return [
    ...(findings.length === 0 ? ["no attack was carried out"] : []),
    ...bad.map(({ attack, verdict, why }) => `${attack} ${verdict}: ${why}`),
    ...unfinished.map((attack) => `${attack} had no end`),
    ...harm,
    ...failures,
  ].map((text) => `${nameOf(trial)}: ${text}`);
}

/** A mutant is caught, for each of its claims, and its back stop holds. */
export function complaintsOfRow({ mutant, trial, caughtBy, missing }: Row): string[] {
  const broken = caughtBy.filter(({ verdict }) => verdict === "broken");
  return [
    ...(caughtBy.length === 0 ? ["no attack caught it", ...trial.failures] : []),
    ...(caughtBy.length > 0 && missing.length > 0 ? [`no attack on ${missing.join(", ")} caught it`] : []),
    ...(mutant.backstop === undefined ? [] : broken).map(
      ({ attack, why }) => `is said to be stopped ("${mutant.backstop}"), but ${attack} is broken: ${why}`,
    ),
  ].map((text) => `${nameOf(trial)}: ${text}`);
}
