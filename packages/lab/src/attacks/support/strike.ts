import type { Case } from "../../attack.ts";
import type { Actions, ObservedFrame } from "../../mitm/index.ts";
import type { Stage } from "../../stage.ts";
import { verdictOf } from "../../verdict.ts";
import { lead } from "./lead.ts";
import type { Place } from "./place.ts";
import { inWaves } from "./waves.ts";

/** One thing that is done to the packet at one place, in a session of its own. */
export interface Strike {
  readonly place: Place;
  /** Strikes of one group that come out alike are told as one case. */
  readonly group: string;
  readonly did: string;
  act(frame: ObservedFrame): { readonly actions: Actions; readonly due: readonly string[] };
}

/**
 * Carries strikes out, as many side by side as there may be victims. Each group is told when it is through: as one case
 * for each class that is due in it, and those that did not fail as they should each by itself.
 */
export async function* strikeAll(stage: Stage, strikes: readonly Strike[]): AsyncGenerator<Case, void> {
  const size = new Map<string, number>();
  for (const { group } of strikes) size.set(group, (size.get(group) ?? 0) + 1);
  const done = new Map<string, Case[]>();
  for await (const wave of inWaves(stage, strikes, (strike) => carryOut(stage, strike))) {
    for (const one of wave) {
      const all = [...(done.get(one.name) ?? []), one];
      done.set(one.name, all);
      if (all.length === size.get(one.name)) yield* told(stage, all);
    }
  }
}

async function carryOut(stage: Stage, { place, group, did, act }: Strike): Promise<Case> {
  let due: readonly string[] | null = null;
  const led = await lead(stage, await stage.victim(), place, (frame) => {
    const struck = act(frame);
    due = struck.due;
    return struck.actions;
  });
  return stage.refusal({ name: group, did, due, ...led });
}

function told(stage: Stage, cases: readonly Case[]): Case[] {
  const isFine = (one: Case) => verdictOf(one, "fails", stage.world !== null) === "held";
  const alike = new Map<string, Case[]>();
  for (const one of cases.filter(isFine)) {
    const key = String(one.due);
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  const split = alike.size > 1;
  return [
    ...[...alike.values()].flatMap((same) => summary(same, split)),
    ...cases.filter((one) => !isFine(one)).map((one) => ({ ...one, name: `${one.name}: ${one.did}` })),
  ];
}

/** @param split whether the group comes out in several ways */
function summary(cases: readonly Case[], split: boolean): Case[] {
  const [first] = cases;
  if (first === undefined) return [];
  const name = split ? `${first.name} (${first.due?.join(", ")})` : first.name;
  if (cases.length === 1) return [{ ...first, name }];
  const examples = cases.slice(0, 3).map(({ did }) => did);
  const more = cases.length > 3 ? ` and ${cases.length - 3} more` : "";
  return [
    {
      ...first,
      name,
      did: `${cases.length} sessions: ${examples.join("; ")}${more}`,
      happened: `each time ${first.happened}`,
      figures: { tries: cases.length },
    },
  ];
}
