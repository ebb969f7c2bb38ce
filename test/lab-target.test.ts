import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentialFile, writeCredentialFile } from "@pawl/client";
import { ATTACKS, isGood, runLabOn } from "@pawl/lab";
import { type ClientId, type Epoch, STRICT, STRICT_GCM, type Suite } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { createServer } from "@pawl/server";
import { createMemoryStore } from "@pawl/server/keys";
import { afterEach, beforeEach, expect, it } from "vitest";

/** The catalogue on a server that is only known by its wire, with the credential files of two clients of it. */

/** It waits for deadlines that such a server has, of five and ten seconds. */
const SLOW = ["delay"];
const attacks = ATTACKS.filter(({ id }) => !SLOW.includes(id));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-target-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it.each([STRICT, STRICT_GCM])(
  "judges a server of $name",
  async (suite: Suite) => {
    const keys = createMemoryStore();
    const limits = { handshakesPerSecond: 100_000, handshakeBurst: 100_000, halfOpenPerAddress: 512 };
    const server = createServer({ keys, limits, rounds: { policy: "eager" } });
    try {
      const { host, port } = await server.listen({ host: "127.0.0.1", port: 0 });
      const paths = await Promise.all(
        [1, 2].map(async (id) => {
          const [clientId, secret] = [id as ClientId, systemRandom(32)];
          const path = join(folder, `client-${id}.pawl`);
          await keys.add([{ clientId, suite, secret }]);
          await writeCredentialFile(path, {
            suite,
            clientId,
            epoch: 0 as Epoch,
            secret,
            last: new Uint8Array(16),
          });
          return path;
        }),
      );
      const credentials = paths.map((path) => credentialFile(path));
      const report = await runLabOn({ host, port, credentials }, { attacks });
      const bad = report.results.flatMap(({ attack, verdict, reason, cases }) =>
        isGood(verdict)
          ? []
          : [{ id: attack.id, reason, cases: cases.filter((one) => !isGood(one.verdict)) }],
      );
      expect(bad).toEqual([]);
      const skipped = report.results.filter(({ verdict }) => verdict === "skipped");
      const needsOwn = attacks.filter(({ needs = [] }) => needs.includes("own-server"));
      expect(skipped.map(({ attack }) => attack.id)).toEqual(needsOwn.map(({ id }) => id));
      expect(report.results.length - skipped.length).toBeGreaterThan(20);
    } finally {
      await server.close({ graceMs: 100 });
      await keys.close();
    }
  },
  120_000,
);
