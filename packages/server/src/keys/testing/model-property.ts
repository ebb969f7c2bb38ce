import { clientId, DEFAULT_WINDOW, epoch } from "@pawl/protocol";
import fc from "fast-check";
import { expect } from "vitest";
import { AlreadyEnrolledError, UnknownClientError } from "../errors.ts";
import type { KeyStore, StoreChange } from "../store.ts";
import type { StoreUnderTest } from "./conformance.ts";
import { acceptedAt, enrol, listed, secretOf } from "./fixtures.ts";
import { expectedInfo, expectedRecord, type ModelClient, newModelClient } from "./model.ts";

const IDS = 3;

type Step =
  | { readonly kind: "add" | "revoke" | "reissue" | "remove" | "rename"; readonly id: number }
  /** Expects what is stored, or an epoch or a generation that is not (`stale`). */
  | {
      readonly kind: "commit";
      readonly id: number;
      readonly stale: "no" | "epoch" | "generation";
      readonly by: number;
      readonly first: boolean;
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("add", "revoke", "reissue", "remove", "rename"),
      id: fc.integer({ min: 1, max: IDS }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("commit" as const),
      id: fc.integer({ min: 1, max: IDS }),
      stale: fc.constantFrom("no", "no", "no", "epoch", "generation"),
      by: fc.integer({ min: 1, max: 70 }),
      first: fc.boolean(),
    }),
  },
);

/** Any sequence of operations leaves the store, what it answers and what it tells as the model says. */
export async function storeModelProperty(makeStore: () => Promise<StoreUnderTest>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const made = await makeStore();
      try {
        await follow(made, steps);
      } finally {
        await made.cleanup();
      }
    }),
    { numRuns: 15 },
  );
}

async function follow({ store, setNow }: StoreUnderTest, steps: readonly Step[]): Promise<void> {
  const model = new Map<number, ModelClient>();
  const told = new Map<number, StoreChange["now"]>();
  const stop = store.watch(({ clientId: id, now }) => told.set(id, now));
  for (const [n, one] of steps.entries()) {
    setNow(1_000 + n);
    await take(store, model, one, n, 1_000 + n);
  }
  const ids = [...model.keys()].sort((a, b) => a - b);
  const clients = ids.map((id) => [clientId(id), model.get(id)] as const);
  expect(await listed(store)).toEqual(clients.map(([id, client]) => client && expectedInfo(id, client)));
  expect(await store.count()).toBe(ids.length);
  for (const [id, client] of clients) {
    expect(await store.lookUp(id)).toEqual(client && expectedRecord(id, client));
    const now = client && {
      generation: client.generation,
      epoch: client.epoch,
      revoked: client.revoked !== null,
    };
    expect(told.get(id)).toEqual(now);
  }
  expect(await store.verify()).toMatchObject({ clients: ids.length, problems: [] });
  for (const [id, now] of told) if (!model.has(id)) expect(now).toBeNull();
  stop();
}

async function take(
  store: KeyStore,
  model: Map<number, ModelClient>,
  one: Step,
  n: number,
  now: number,
): Promise<void> {
  const id = clientId(one.id);
  const client = model.get(one.id);
  const secret = secretOf(1_000 + n);
  if (one.kind === "add") {
    const added = enrol(store, one.id, { secret, label: `client ${n}` });
    if (client !== undefined) return await expect(added).rejects.toThrow(AlreadyEnrolledError);
    model.set(one.id, newModelClient({ ...(await added), created: now }, secret, `client ${n}`));
    return;
  }
  if (one.kind === "commit") return await commit(store, client, one, n, now);
  if (client === undefined) {
    return await expect(operate(store, one.kind, one.id, secret, n)).rejects.toThrow(UnknownClientError);
  }
  const before = client.generation;
  const info = await operate(store, one.kind, one.id, secret, n);
  switch (one.kind) {
    case "revoke":
      Object.assign(client, { accepted: null, revoked: { at: now, reason: `reason ${n}` } });
      break;
    case "reissue":
      Object.assign(client, { accepted: null, revoked: null, epoch: 0, secret, moved: now });
      client.window = DEFAULT_WINDOW;
      break;
    case "remove":
      model.delete(one.id);
      break;
    case "rename":
      client.label = `name ${n}`;
      break;
    default:
      one.kind satisfies never;
  }
  if (info === null) return;
  client.generation = info.generation;
  expect(info.generation === before).toBe(one.kind === "rename");
  expect(info).toEqual(expectedInfo(id, client));
}

async function operate(
  store: KeyStore,
  kind: "revoke" | "reissue" | "remove" | "rename",
  client: number,
  secret: Uint8Array,
  n: number,
) {
  const id = clientId(client);
  switch (kind) {
    case "revoke":
      return await store.revoke(id, `reason ${n}`);
    case "reissue":
      return await store.reissue(id, secret);
    case "rename":
      return await store.rename(id, `name ${n}`);
    case "remove":
      await store.remove(id);
      return null;
    default:
      return kind satisfies never;
  }
}

async function commit(
  store: KeyStore,
  client: ModelClient | undefined,
  one: Extract<Step, { kind: "commit" }>,
  n: number,
  now: number,
): Promise<void> {
  const id = clientId(one.id);
  const at = (client?.epoch ?? 0) + (one.stale === "epoch" ? 1 : 0);
  const generation = (client?.generation ?? 0n) ^ (one.stale === "generation" ? 1n : 0n);
  const next = { epoch: epoch(at + one.by), secret: secretOf(1_000 + n) };
  const accepted = one.first ? acceptedAt(at % 200) : null;
  const outcome = await store.commit({
    clientId: id,
    expected: { generation, epoch: epoch(at) },
    next,
    accepted,
  });
  if (client === undefined) return expect(outcome).toEqual({ outcome: "lost", current: null });
  if (one.stale !== "no" || client.revoked !== null) {
    return expect(outcome).toEqual({ outcome: "lost", current: expectedRecord(id, client) });
  }
  expect(outcome).toEqual({ outcome: "done" });
  Object.assign(client, next, { moved: now });
  if (accepted !== null) Object.assign(client, { accepted, lastSeen: now, window: DEFAULT_WINDOW });
}
