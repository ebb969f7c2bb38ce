import type { ClientId, Epoch, PaddingPolicy, TerminateReason } from "@pawl/protocol";
import type { Standing } from "../commons.ts";
import type { SessionInfo } from "../endpoint.ts";
import type { Interest, PawlServerEvent } from "../events.ts";
import type { RecordsReply, RecordsRequest } from "../keys/linked-records.ts";
import type { RotationOptions, ServerLimits } from "../options.ts";
import type { GenerationText, RoundsReply, RoundsRequest } from "../rounds/index.ts";

/** What a worker needs to know of its server's options, as JSON has it. */
export interface WorkerSettings {
  /** Ids of suites. */
  readonly suites: readonly number[];
  readonly maxMessage: number;
  readonly maxClients: number;
  readonly padding: PaddingPolicy;
  readonly limits: ServerLimits;
  readonly rotation: RotationOptions;
}

/** From the primary to a worker; arrives in order. Connections come another way, since they are handles: `Handover`. */
export type ToWorker =
  | {
      readonly type: "start";
      /** From 1. */
      readonly worker: number;
      readonly settings: WorkerSettings;
      readonly interest: Interest;
      /** For the worker's own program. */
      readonly data: unknown;
    }
  | { readonly type: "standing"; readonly ask: number; readonly standing: Standing }
  | { readonly type: "terminate"; readonly id: number; readonly reason: TerminateReason }
  | { readonly type: "epoch-moved"; readonly id: number }
  | { readonly type: "abort"; readonly id: number }
  | { readonly type: "interest"; readonly interest: Interest }
  /** The primary's key database failed at something. */
  | { readonly type: "suspect-store" }
  | { readonly type: "sessions"; readonly ask: number }
  | { readonly type: "drain"; readonly graceMs: number }
  | RecordsReply
  | RoundsReply;

/** From a worker to its primary; arrives in order. Commits come another way, since JSON has no bytes that could be overwritten. */
export type ToPrimary =
  /** It takes connections. `crypto`: the name of its provider. */
  | { readonly type: "ready"; readonly crypto: string }
  | { readonly type: "failed"; readonly message: string }
  | {
      readonly type: "standing";
      readonly ask: number;
      readonly clientId: ClientId;
      readonly epoch: Epoch;
      readonly gcm: boolean;
    }
  | { readonly type: "charge"; readonly limitKey: string; readonly handshakes: number }
  | { readonly type: "buffers"; readonly id: number; readonly bytes: number }
  | {
      readonly type: "greeted";
      readonly id: number;
      readonly clientId: ClientId;
      readonly epoch: Epoch;
      readonly gcm: boolean;
      readonly generation: GenerationText | null;
    }
  | { readonly type: "live"; readonly id: number }
  | { readonly type: "ended"; readonly id: number }
  | { readonly type: "event"; readonly event: PawlServerEvent }
  | { readonly type: "sessions"; readonly ask: number; readonly sessions: readonly SessionInfo[] }
  | RecordsRequest
  | RoundsRequest;
