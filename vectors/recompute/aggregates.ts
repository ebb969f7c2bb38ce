import { utf8 } from "@pawl/protocol";
import { aggregateOf } from "../../packages/server/src/rounds/aggregate.ts";
import { REDUCER_NAMES } from "../../packages/server/src/rounds/reducers.ts";
import { messageValue } from "../../packages/server/src/rounds/value.ts";
import type { AggregatesVectors } from "../load.ts";
import { fill } from "./schedule.ts";

export function recomputeAggregates(
  file: AggregatesVectors & Record<string, unknown>,
): Record<string, unknown> {
  return {
    ...file,
    rounds: file.rounds.map((v) => {
      const values = v.messages.map((text) => messageValue(utf8(text)));
      const { product, also } = aggregateOf(1, values, REDUCER_NAMES);
      return fill(v, { aggregate: product, also });
    }),
  };
}
