/**
 * @pawl/bench: what Pawl costs on this machine, beside what a user would pick instead. What targets are made of is `./targets`, what the
 * processes of a bench do on their side `./inside`. What is not exported here is not public.
 */
export { CELLS, MEASUREMENTS } from "./cells/index.ts";
export { percentile } from "./cells/latency.ts";
export { type Cell, type Measurement, type Plan, planOf, WrongAnswerError } from "./cells/measurement.ts";
export { availableTargets, chosen } from "./choose.ts";
export { type Comparison, compare, type Samples } from "./compare.ts";
export { type TargetSource, Worker } from "./processes.ts";
export type { Channel } from "./record/channel.ts";
export { measure } from "./record/measure.ts";
export { measureRecords, RECORD_CELLS } from "./record/records.ts";
export { describeMachine, type Machine, machine } from "./report/machine.ts";
export { median, type Result, resultsOf, rounded } from "./report/results.ts";
export { columnsOf, figure } from "./report/rows.ts";
export { statusLine } from "./status-line.ts";
export { BASES } from "./targets/index.ts";
