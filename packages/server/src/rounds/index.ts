export type { Aggregate } from "./aggregate.ts";
export { type Decimal, format, parseDecimal } from "./decimal.ts";
export { MAX_AGGREGATE_DIGITS, productOf } from "./product.ts";
export { REDUCER_NAMES, REDUCERS, type ReducerName } from "./reducers.ts";
export { type ClosedRound, Rounds, type RoundsOptions, type RoundsPolicy } from "./rounds.ts";
export { messageValue } from "./value.ts";
