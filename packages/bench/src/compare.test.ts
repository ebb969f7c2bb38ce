import { describe, expect, it } from "vitest";
import { MEASUREMENTS } from "./cells/index.ts";
import { planOf } from "./cells/measurement.ts";
import { type Comparison, compare } from "./compare.ts";

/** Processes from the build. */

const measurements = MEASUREMENTS.filter(({ name }) => name === "round-trips-1-64");

function comparison(target: string, more: Partial<Comparison> = {}): Comparison {
  return {
    measurements,
    plan: planOf({ repetitions: 3, ms: 10, idle: 1 }),
    targets: [{ name: target, applications: ["echo"] }],
    folder: "",
    progress: () => {},
    ...more,
  };
}

const source = { module: new URL("./testing/wrong-target.js", import.meta.url), execArgv: [] };

describe("a comparison", () => {
  it("has a figure of each repetition", async () => {
    const said: string[] = [];
    const samples = await compare(comparison("net", { progress: (text) => said.push(text) }));
    expect([...samples.keys()]).toEqual(["rtt-1-64", "cpu-1-64"]);
    const figures = samples.get("rtt-1-64")?.get("net") ?? [];
    expect(figures).toHaveLength(3);
    for (const figure of figures) expect(figure).toBeGreaterThan(0);
    expect(said).toContain("round-trips-1-64: net, 3 of 3");
    expect(said.at(-1)).toBe("");
  });

  it("begins each repetition with another target", async () => {
    const said: string[] = [];
    const targets = ["net", "tls-psk-cbc"].map((name) => ({ name, applications: ["echo"] as const }));
    await compare(comparison("", { targets, progress: (text) => said.push(text) }));
    const turns = said.flatMap((text) => /: (\S+), \d of 3$/.exec(text)?.[1] ?? []);
    expect(turns).toEqual(["tls-psk-cbc", "net", "net", "tls-psk-cbc", "tls-psk-cbc", "net"]);
  });

  it.each([
    ["wrong", "wrong, round-trips-1-64: the answer is not the one that was due"],
    ["refusing", "refusing, getting ready: no port is free"],
    ["missing", "missing, getting ready: no target is called missing"],
  ])("with a target that is %s fails, and says so", async (target, message) => {
    await expect(compare(comparison(target, { source }))).rejects.toThrow(message);
  });

  it("is ended by its signal", async () => {
    const stop = new AbortController();
    const progress = (text: string) => {
      if (text.includes("1 of 3")) stop.abort();
    };
    const running = compare(comparison("net", { progress, signal: stop.signal }));
    await expect(running).rejects.toThrow(/^net, round-trips-1-64: /);
    await expect(compare(comparison("net", { signal: stop.signal }))).rejects.toThrow(
      /^net, getting ready: /,
    );
  });
});
