import { PARAMETERS, type ParameterName, SELECTION, usageOf } from "./parameters.ts";
import { VERBS, type Verb } from "./verbs.ts";

/** All that an attack by hand can be, as lines for a help. */
export function attackHelp(): string[] {
  const own = Object.keys(PARAMETERS).filter((name): name is ParameterName => !isSelection(name));
  return [
    "SPEC is NAME or NAME:PARAMETER=VALUE,… with one of these names:",
    ...columns(VERBS.map((verb) => [verb.name, aboutOf(verb)])),
    "",
    "Most are about all frames, or about those that have each of",
    ...rowsOf(SELECTION),
    "",
    "Other parameters:",
    ...rowsOf(own),
  ];
}

/** What it does, and what it takes beside a selection of frames. */
function aboutOf({ about, needs, takes }: Verb): string {
  const hasSelection = SELECTION.every((name) => takes.includes(name));
  const own = hasSelection ? takes.filter((name) => !isSelection(name)) : takes;
  const needed = needs.length === 0 ? "" : `; needs ${needs.join(", ")}`;
  const may = own.length === 0 ? "" : `; may have ${own.join(", ")}`;
  return about + needed + may;
}

function isSelection(name: string): boolean {
  return SELECTION.some((one) => one === name);
}

function rowsOf(names: readonly ParameterName[]): string[] {
  return columns(names.map((name) => [usageOf(name), PARAMETERS[name].about]));
}

const FIRST_COLUMN = 24;

/** Two columns; where the first does not fit, the second is on the next line. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  return rows.flatMap(([first, second]) => {
    const line = `  ${first.padEnd(FIRST_COLUMN)}${second}`;
    return first.length < FIRST_COLUMN
      ? [line]
      : [`  ${first}`, line.replace(first, "".padEnd(FIRST_COLUMN))];
  });
}
