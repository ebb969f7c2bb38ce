import { memoryCredential } from "@pawl/client";
import { attackById, isGood, runLabOn } from "@pawl/lab";
import { type Epoch, STRICT } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { createServer } from "@pawl/server";
import { createMemoryStore } from "@pawl/server/keys";
import { expect, it } from "vitest";

/** Attacks on a server that is only known by its wire. */

const IDS = [
  ...["replay-hello", "replay-challenge", "replay-data", "replay-aggregate"],
  ...["replay-client-session", "replay-server-session"],
  ...["tamper-header", "tamper-body", "tamper-length", "inject"],
  ...["drop", "reorder", "reflect", "selfie", "splice-session", "splice-client"],
  ...["downgrade-suite", "impersonate-client", "impersonate-server", "truncate", "forge-terminate"],
  ...["revoked-client", "hello-far-ahead"],
];

function attacks(ids: readonly string[]) {
  return ids.map((id) => {
    const attack = attackById(id);
    if (attack === undefined) throw new Error(`no attack ${id}`);
    return attack;
  });
}

it("judges a server by its wire alone, with two credentials of it", async () => {
  const keys = createMemoryStore();
  const limits = { handshakesPerSecond: 100_000, handshakeBurst: 100_000, halfOpenPerAddress: 512 };
  const server = createServer({ keys, limits, rounds: { policy: "eager" } });
  try {
    const { host, port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const ids = await keys.freeIds(2);
    const secrets = ids.map(() => systemRandom(32));
    await keys.add(
      ids.map((clientId, i) => ({ clientId, suite: STRICT, secret: secrets[i] ?? new Uint8Array() })),
    );
    const credentials = ids.map((clientId, i) =>
      memoryCredential({
        suite: STRICT,
        clientId,
        epoch: 0 as Epoch,
        secret: secrets[i] ?? new Uint8Array(),
        last: new Uint8Array(16),
      }),
    );
    const report = await runLabOn({ host, port, credentials }, { attacks: attacks(IDS) });
    const bad = report.results.filter(({ verdict }) => !isGood(verdict));
    expect(
      bad.map(({ attack, verdict, reason, cases }) => ({ id: attack.id, verdict, reason, cases })),
    ).toEqual([]);
    const skipped = report.results.filter(({ verdict }) => verdict === "skipped");
    expect(skipped.map(({ attack }) => attack.id)).toEqual(["selfie", "downgrade-suite", "revoked-client"]);
  } finally {
    await server.close({ graceMs: 100 });
  }
}, 120_000);
