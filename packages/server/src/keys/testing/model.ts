import { type Accepted, type ClientId, type ClientRecord, DEFAULT_WINDOW, type Suite } from "@pawl/protocol";
import type { ClientInfo } from "../store.ts";

/** What a store must keep, without how: the plain model that the conformance suite compares with. */
export interface ModelClient {
  readonly suite: Suite;
  readonly created: number;
  generation: bigint;
  epoch: number;
  secret: Uint8Array;
  window: number;
  accepted: Accepted | null;
  label: string | null;
  lastSeen: number | null;
  moved: number;
  revoked: { readonly at: number; readonly reason: string } | null;
}

export function newModelClient(info: ClientInfo, secret: Uint8Array, label: string | null): ModelClient {
  return {
    suite: info.suite,
    created: info.created,
    generation: info.generation,
    epoch: 0,
    secret,
    window: DEFAULT_WINDOW,
    accepted: null,
    label,
    lastSeen: null,
    moved: info.created,
    revoked: null,
  };
}

export function expectedInfo(clientId: ClientId, client: ModelClient): Record<keyof ClientInfo, unknown> {
  const { secret: _secret, ...info } = client;
  return { clientId, ...info };
}

export function expectedRecord(clientId: ClientId, client: ModelClient): Record<keyof ClientRecord, unknown> {
  const { suite, generation, epoch, secret, window, accepted, revoked } = client;
  return { clientId, suite, generation, epoch, secret, accepted, window, revoked: revoked !== null };
}
