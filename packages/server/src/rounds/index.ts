export { type Aggregate, AggregateWriter } from "./aggregate.ts";
export type {
  RoundAnswer,
  RoundSession,
  RoundsBackend,
  RoundsBackendFactory,
  RoundsContext,
} from "./backend.ts";
export { type Decimal, format, parseDecimal } from "./decimal.ts";
export {
  type GenerationText,
  generationOf,
  generationText,
  LinkedRounds,
  type RoundsReply,
  type RoundsRequest,
} from "./linked.ts";
export { LocalRounds } from "./local.ts";
export { MAX_AGGREGATE_DIGITS, productOf } from "./product.ts";
export { REDUCER_NAMES, REDUCERS, type ReducerName } from "./reducers.ts";
export { type ClosedRound, type Owed, Rounds, type RoundsOptions, type RoundsPolicy } from "./rounds.ts";
export { RoundsSeat, tellSeats } from "./seat.ts";
export { messageValue } from "./value.ts";
