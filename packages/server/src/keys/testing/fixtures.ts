import { type Accepted, type ClientId, clientId, epoch, STRICT, type Suite } from "@pawl/protocol";
import type { ClientInfo, Commit, KeyStore, NewClient, StoreChange } from "../store.ts";

/** 32 bytes that tell which they are. */
export function secretOf(n: number): Uint8Array {
  const secret = new Uint8Array(32).fill(0xa5);
  new DataView(secret.buffer).setUint32(0, n);
  return secret;
}

export function newClient(id: number, more: Partial<NewClient> & { readonly suite?: Suite } = {}): NewClient {
  return { clientId: clientId(id), suite: STRICT, secret: secretOf(id), ...more };
}

/** Enrols client `id` and returns it. */
export async function enrol(store: KeyStore, id: number, more: Partial<NewClient> = {}): Promise<ClientInfo> {
  const [info] = await store.add([newClient(id, more)]);
  if (info === undefined) throw new Error("nothing was added");
  return info;
}

export function acceptedAt(n: number): Accepted {
  return { epoch: epoch(n), t: new Uint8Array(16).fill(n) };
}

/** The commit of a first packet (`accepted`) or of a catch-up that expects `at`. */
export function commitFrom(
  at: { readonly clientId: ClientId; readonly generation: bigint; readonly epoch: number },
  more: { readonly to?: number; readonly secret?: Uint8Array; readonly accepted?: Accepted | null } = {},
): Commit {
  const to = more.to ?? at.epoch + 1;
  return {
    clientId: at.clientId,
    expected: { generation: at.generation, epoch: epoch(at.epoch) },
    next: { epoch: epoch(to), secret: more.secret ?? secretOf(to) },
    accepted: more.accepted === undefined ? acceptedAt(at.epoch) : more.accepted,
  };
}

export async function listed(store: KeyStore): Promise<ClientInfo[]> {
  const all: ClientInfo[] = [];
  for await (const info of store.list()) all.push(info);
  return all;
}

/** Collects what a store tells, and lets a test wait for a change. */
export function changesOf(store: KeyStore): {
  readonly changes: StoreChange[];
  readonly until: (wanted: (change: StoreChange) => boolean) => Promise<StoreChange>;
  readonly stop: () => void;
} {
  const changes: StoreChange[] = [];
  const waiting = new Set<(change: StoreChange) => void>();
  const stop = store.watch((change) => {
    changes.push(change);
    for (const look of waiting) look(change);
  });
  const until = (wanted: (change: StoreChange) => boolean) => {
    const found = changes.find(wanted);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise<StoreChange>((resolve) => {
      const look = (change: StoreChange) => {
        if (!wanted(change)) return;
        waiting.delete(look);
        resolve(change);
      };
      waiting.add(look);
    });
  };
  return { changes, until, stop };
}
