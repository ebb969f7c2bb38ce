import { readFileSync } from "node:fs";
import { recomputeAggregates } from "./recompute/aggregates.ts";
import { recomputeFraming } from "./recompute/framing.ts";
import { recomputeHello } from "./recompute/hello.ts";
import { recomputeNegative } from "./recompute/negative.ts";
import { recomputePackets } from "./recompute/packets.ts";
import { recomputeSchedule } from "./recompute/schedule.ts";
import { recomputeValues } from "./recompute/values.ts";
import { render } from "./render.ts";

/**
 * Makes the vector files again: from each file its inputs are kept (ids, secrets, nonces, IVs, messages, altered
 * frames), everything that follows from them is computed by this project's code, and the file is written as it was.
 * A drift of the code shows as a diff.
 */

const RECOMPUTE = {
  schedule: recomputeSchedule,
  packets: recomputePackets,
  negative: recomputeNegative,
  hello: recomputeHello,
  framing: recomputeFraming,
  values: recomputeValues,
  aggregates: recomputeAggregates,
} as const;

export const fileOf = (name: string) => new URL(`./${name}.json`, import.meta.url);

/** The text that the file `name` should have. */
export function regenerate(name: keyof typeof RECOMPUTE): { stored: string; made: string } {
  const stored = readFileSync(fileOf(name), "utf8");
  return { stored, made: render(RECOMPUTE[name](JSON.parse(stored))) };
}

export const VECTOR_FILES = Object.keys(RECOMPUTE) as (keyof typeof RECOMPUTE)[];
