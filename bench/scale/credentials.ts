import { connect, memoryCredential, type PawlConnection } from "@pawl/client";
import { clientId, type Epoch, STRICT } from "@pawl/protocol";
import type { KeyStore } from "@pawl/server/keys";

/** The clients of both processes, which have to agree on their secrets: a bench has none. */

/** Enrols the clients 1 … `clients`. */
export async function enrol(keys: KeyStore, clients: number): Promise<void> {
  const all = Array.from({ length: clients }, (_, index) => ({
    clientId: clientId(index + 1),
    suite: STRICT,
    secret: secretOf(index + 1),
  }));
  await keys.add(all, { maxClients: clients });
}

export function connectClient(id: number, port: number): Promise<PawlConnection> {
  const credential = memoryCredential({
    suite: STRICT,
    clientId: clientId(id),
    epoch: 0 as Epoch,
    secret: secretOf(id),
    last: new Uint8Array(16),
  });
  return connect({ credential, host: "127.0.0.1", port, replyTimeoutMs: PATIENCE_MS });
}

/** Of both sides with each other: a first message waits until the last of a large fleet has come. */
export const PATIENCE_MS = 15 * 60_000;

function secretOf(id: number): Uint8Array {
  const secret = new Uint8Array(32).fill(7);
  new DataView(secret.buffer).setUint32(0, id);
  return secret;
}
