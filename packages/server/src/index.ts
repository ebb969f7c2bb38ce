/** @pawl/server. The key database is `@pawl/server/keys`. What is not exported here is not public. */
export type { MessageHandler, ServerSessionHandle } from "./application.ts";
export type { SessionInfo } from "./endpoint.ts";
export { ListenError, OptionError } from "./errors.ts";
export type { EventBus, EventOf, PawlServerEvent, PawlServerEventType } from "./events.ts";
export {
  defaultLimits,
  ON_CLONE,
  type OnClone,
  type RotationOptions,
  type ServerLimits,
  type ServerOptions,
} from "./options.ts";
export {
  type Aggregate,
  AggregateWriter,
  type ClosedRound,
  type Decimal,
  format as formatDecimal,
  LocalRounds,
  messageValue,
  productOf,
  REDUCER_NAMES,
  type ReducerName,
  type RoundAnswer,
  type RoundSession,
  type RoundsBackend,
  type RoundsBackendFactory,
  type RoundsContext,
  type RoundsOptions,
  type RoundsPolicy,
} from "./rounds/index.ts";
export { createServer, DEFAULT_PORT, type PawlServer } from "./server.ts";
export { WorkerStartError } from "./workers/errors.ts";
export type { WorkerSession } from "./workers/pool.ts";
export { createWorkers, MAX_WORKERS, type PawlWorkers, type WorkersOptions } from "./workers/primary.ts";
export { runWorker } from "./workers/run-worker.ts";
export type { WorkerParts } from "./workers/worker-side.ts";
