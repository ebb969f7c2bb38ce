import { memoryCredential } from "@pawl/client";
import { type AttackResult, attackById, isGood, runLab, runLabOn } from "@pawl/lab";
import { type Epoch, STRICT, SUITES } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { createServer } from "@pawl/server";
import { createMemoryStore } from "@pawl/server/keys";
import { expect, it } from "vitest";

/** The attacks on frames come out as the specification says: in each suite, and against a server that is only known by its wire. */

const SLOW = ["delay"];
const IDS = [
  ...["replay-hello", "replay-challenge", "replay-data", "replay-aggregate"],
  ...["replay-client-session", "replay-server-session"],
  ...["tamper-header", "tamper-body", "tamper-length", "inject"],
  ...["drop", "reorder", "reflect", "selfie", "splice-session", "splice-client"],
  ...["downgrade-suite", "impersonate-client", "impersonate-server", "truncate", "forge-terminate"],
];

function attacks(ids: readonly string[]) {
  return ids.map((id) => {
    const attack = attackById(id);
    if (attack === undefined) throw new Error(`no attack ${id}`);
    return attack;
  });
}

/** What is not as it should be, so that a failure tells all of it. */
function bad(results: readonly AttackResult[]): string[] {
  return results.flatMap(({ attack, suite, reason, cases }) => [
    ...(reason === null || cases.length === 0 ? [] : [`${attack.id} on ${suite}: ${reason}`]),
    ...cases
      .filter(({ verdict }) => !isGood(verdict))
      .map(
        (one) => `${attack.id} on ${suite}: ${one.name}: ${one.verdict}: ${one.happened} (${one.refusedBy})`,
      ),
  ]);
}

it("holds in strict, shows in classic what classic lacks, and harms nobody honest", async () => {
  const chosen = attacks([...IDS, ...SLOW]);
  const report = await runLab({ suites: SUITES, attacks: chosen, honest: 5 });
  expect(bad(report.results)).toEqual([]);
  expect(report.results).toHaveLength(chosen.length * SUITES.length);
  for (const { attack, suite, verdict } of report.results) {
    const due = { fails: "held", works: "shown", "n/a": "skipped" }[attack.expected[suite]];
    expect(verdict, `${attack.id} on ${suite}`).toBe(due);
  }
  for (const { rounds, wrong } of report.honest) {
    expect(wrong).toEqual([]);
    expect(rounds).toBeGreaterThan(chosen.length);
  }
  expect(report.ok).toBe(true);
}, 120_000);

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
    expect(bad(report.results)).toEqual([]);
    const skipped = report.results.filter(({ verdict }) => verdict === "skipped");
    expect(skipped.map(({ attack }) => attack.id)).toEqual(["selfie", "downgrade-suite"]);
  } finally {
    await server.close({ graceMs: 100 });
  }
}, 120_000);
