import { type CredentialStore, memoryCredential } from "@pawl/client";
import type { ClientId, Epoch, Suite } from "@pawl/protocol";
import { LAST_BYTES } from "@pawl/protocol";

/** A client of the lab: who it is, where its credential is, and what it says. */
export interface Enrolled {
  readonly clientId: ClientId;
  readonly suite: Suite;
  readonly store: CredentialStore;
  /** What it sends in each round: nobody else sends this prime. */
  readonly prime: number;
}

/** A credential at epoch 0, in memory. */
export function freshCredential(suite: Suite, clientId: ClientId, secret: Uint8Array): CredentialStore {
  return memoryCredential({ suite, clientId, epoch: 0 as Epoch, secret, last: new Uint8Array(LAST_BYTES) });
}
