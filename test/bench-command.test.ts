import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Result } from "@pawl/bench";
import { defaultCrypto } from "@pawl/protocol";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { interruptOnce } from "./support/bench.ts";
import { pawl } from "./support/pawl.ts";

/** `pawl bench` as a user has it: that it measures what it says, and leaves nothing behind. Never how fast. */

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-bench-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const provider = defaultCrypto().name;

function bench(args: readonly string[], env: Record<string, string> = {}) {
  const all = { TMPDIR: folder, PAWL_CRYPTO: provider, ...env };
  const running = pawl(["bench", ...args], { cwd: folder, env: all, input: "" });
  onTestFinished(() => void running.child.kill());
  return running;
}

async function resultsOf(args: readonly string[], env: Record<string, string> = {}): Promise<Result[]> {
  const { code, stdout, stderr } = await bench(["--quick", "--json", ...args], env).finished;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Result[];
}

const namesOf = (results: readonly Result[]) => results.map(({ cell, target }) => `${cell} ${target}`);
/** Of packets: that provider, and node:crypto. */
const providers = [...new Set([provider, "node"])];

describe("pawl bench", () => {
  it("measures each cell of plain TCP, TLS-PSK and Pawl, packets on both providers", async () => {
    const cells = ["rtt-1-64", "p50-1-64", "rounds-100", "handshake"];
    const results = await resultsOf(["--only", "open-64", "seal-16384,seal-64", ...cells]);
    expect(namesOf(results)).toEqual([
      ...["seal-64", "seal-16384", "open-64"].flatMap((cell) =>
        providers.map((name) => `${cell} pawl-strict-${name}`),
      ),
      ...cells.flatMap((cell) =>
        ["net", "tls-psk-cbc", `pawl-strict-${provider}`]
          .filter((target) => cell !== "rounds-100" || target !== "tls-psk-cbc")
          .map((target) => `${cell} ${target}`),
      ),
    ]);
    for (const result of results) {
      expect(Object.keys(result)).toEqual([
        ...["cell", "target", "unit", "median", "min", "max", "ratioNet", "ratioTlsPskCbc"],
      ]);
      expect(result.min).toBeGreaterThan(0);
      expect(result.min).toBeLessThanOrEqual(result.median);
      expect(result.max).toBeGreaterThanOrEqual(result.median);
      if (result.target === "net") expect(result.ratioNet).toBe(1);
      if (result.target === "tls-psk-cbc") expect(result.ratioTlsPskCbc).toBe(1);
      expect(result.ratioNet === null).toBe(/^(seal|open)-/.test(result.cell));
    }
    expect(await readdir(folder)).toEqual([]);
  }, 60_000);

  it("has TLS with GCM beside strict-gcm, and no addon where PAWL_CRYPTO is node", async () => {
    const results = await resultsOf(["--suite", "strict-gcm", "--only", "seal-64", "cpu-1-64"], {
      PAWL_CRYPTO: "node",
    });
    expect(namesOf(results)).toEqual([
      "seal-64 pawl-strict-gcm-node",
      ...["net", "tls-psk-cbc", "tls-psk-gcm", "pawl-strict-gcm-node"].map((target) => `cpu-1-64 ${target}`),
    ]);
  }, 60_000);

  it("tells people the machine, then a table of each kind", async () => {
    const { code, stdout, stderr } = await bench(["--quick", "--only", "open-1024", "rtt-1-64"], {
      PAWL_CRYPTO: "node",
    }).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(
      /cores, .*, Node\.js [\d.]+ with OpenSSL .*, record layer on node:crypto; over loopback\.$/,
    );
    const columns = (start: string) => lines.find((line) => line.startsWith(start))?.split(/ {2,}/);
    const number = expect.stringMatching(/^[\d.,]+ \([\d.,]+\)$/);
    const figures = expect.stringMatching(/^[\d.,]+ \(\d+\.\d\d, \d+\.\d\d\)$/);
    expect(columns("median (messages/s)")).toEqual(["median (messages/s)", "pawl-strict-node"]);
    expect(columns("open-1024")).toEqual(["open-1024, µs ↓", number]);
    expect(columns("median (÷ net")).toEqual([
      ...["median (÷ net, ÷ tls-psk-cbc)", "net", "tls-psk-cbc", "pawl-strict-node"],
    ]);
    expect(columns("rtt-1-64")).toEqual(["rtt-1-64, round trips/s", figures, figures, figures]);
  }, 60_000);

  it.each([
    [
      ["--only", "rtt-7-64"],
      /^pawl: --only: no cell is called "rtt-7-64"; there are seal-64, .*rtt-1-64, .*\n$/,
    ],
    [["--suite", "classic"], /^pawl: --suite: expected strict, strict-gcm, found "classic"\n$/],
    [["--fast"], /^pawl: unknown option '--fast'.*; see pawl bench --help\n$/],
    [["extra"], /^pawl: too many arguments .*; see pawl bench --help\n$/],
  ])("%j ends with 2 and a line that says why", async (args, line) => {
    const { code, stdout, stderr } = await bench(args).finished;
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd()).not.toContain("\n");
  });

  it("ends with 1 and a line that says what to do where it can keep nothing", async () => {
    const { code, stdout, stderr } = await bench(["--quick"], { TMPDIR: join(folder, "none") }).finished;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^pawl: no folder can be made in .*none \(ENOENT\); name another with TMPDIR\n$/);
  });

  it.skipIf(process.platform !== "linux").each([
    ["packets", "seal-64", 1],
    ["handshakes", "handshake", 6],
  ])("ends with 130 on ^C among %s, and leaves no process and no folder", async (_, cell, processes) => {
    const running = bench(["--only", cell]);
    await interruptOnce(processes, running);
    expect(await running.finished).toEqual({ code: 130, stdout: "", stderr: "pawl: interrupted\n" });
    expect(await readdir(folder)).toEqual([]);
  });
});
