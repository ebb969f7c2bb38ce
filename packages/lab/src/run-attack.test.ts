import { STRICT } from "@pawl/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Attack, Case } from "./attack.ts";
import { runAttack } from "./run-attack.ts";
import { type Site, siteOf } from "./site.ts";
import { type Stage, UnfitStageError } from "./stage.ts";
import { World } from "./world/world.ts";

/** Attacks made up for the purpose, in a world of a few honest clients. */

let world: World;
let site: Site;
beforeAll(async () => {
  world = await World.open({ suite: STRICT, honest: 3 });
  site = siteOf(world);
});
afterAll(() => world.close());

const held: Case = {
  name: "",
  did: "nothing",
  happened: "nothing",
  worked: false,
  refusedBy: null,
  due: null,
  recording: null,
};

function attack(run: (stage: Stage) => AsyncGenerator<Case, void>, more: Partial<Attack> = {}): Attack {
  return {
    id: "made-up",
    claim: "counting",
    title: "Made up",
    adversary: "Nobody.",
    steps: ["Nothing."],
    expected: { classic: "n/a", strict: "fails", "strict-gcm": "fails" },
    run,
    ...more,
  };
}

describe("one attack", () => {
  it("holds, gives back what its stage had, and says how long it took", async () => {
    let undone = 0;
    const result = await runAttack(
      attack(async function* (stage) {
        stage.defer(() => undone++);
        yield held;
      }),
      site,
    );
    expect(result).toMatchObject({ verdict: "held", reason: null, suite: "strict", claim: "counting" });
    expect(result.cases).toHaveLength(1);
    expect(undone).toBe(1);
  });

  it("breaks where a victim counted oftener than it spoke, whatever its own cases say", async () => {
    const result = await runAttack(
      attack(async function* (stage) {
        const victim = await stage.victim();
        const session = await victim.connect(stage.at);
        stage.defer(() => session.close());
        await session.send(String(victim.prime));
        yield held;
      }),
      site,
    );
    expect(result.verdict).toBe("broken");
    expect(result.cases[1]).toMatchObject({ happened: "it spoke 0 times and was counted 1 times" });
  });

  it("breaks where an honest client is harmed", async () => {
    const own = await World.open({ suite: STRICT, honest: 3 });
    try {
      const result = await runAttack(
        attack(async function* () {
          await own.keys.revoke(own.server.sessions()[0]?.clientId ?? (0 as never), "harm");
          await own.honest.round();
          yield held;
        }),
        siteOf(own),
      );
      expect(result.verdict).toBe("broken");
      expect(result.cases.at(-1)).toMatchObject({ name: "honest clients", verdict: "broken" });
      expect(result.cases.at(-1)?.happened).toMatch(/session was harmed/);
    } finally {
      await own.close();
    }
  });

  it("could not be carried out where it throws, takes too long, or tried nothing", async () => {
    const thrown = await runAttack(
      attack(async function* () {
        yield held;
        throw new Error("no DATA was seen");
      }),
      site,
    );
    expect(thrown).toMatchObject({ verdict: "error", reason: "no DATA was seen" });

    let undone = false;
    const endless = await runAttack(
      attack(async function* (stage) {
        stage.defer(() => {
          undone = true;
        });
        yield held;
        await new Promise(() => {});
      }),
      site,
      { limitMs: 1_500 },
    );
    expect(endless).toMatchObject({ verdict: "error", reason: "it was not done after 1.5 s" });
    expect(undone).toBe(true);

    let late = false;
    const abandoned = await runAttack(
      attack(async function* (stage) {
        stage.signal.addEventListener("abort", () => setTimeout(() => stage.defer(() => (late = true)), 20));
        yield held;
        await new Promise(() => {});
      }),
      site,
      { limitMs: 1_500 },
    );
    expect(abandoned.verdict).toBe("error");
    await expect.poll(() => late).toBe(true);

    const nothing = await runAttack(
      attack(async function* () {}),
      site,
    );
    expect(nothing.verdict).toBe("error");
  });

  it("is skipped where the suite has nothing for it, or the place has not what it takes", async () => {
    const notHere = attack(
      async function* () {
        yield held;
      },
      { expected: { classic: "fails", strict: "n/a", "strict-gcm": "fails" } },
    );
    expect(await runAttack(notHere, site)).toMatchObject({ verdict: "skipped", cases: [] });

    const foreign: Site = { ...site, world: null };
    const needy = attack(
      async function* () {
        yield held;
      },
      { needs: ["own-server"] },
    );
    expect(await runAttack(needy, foreign)).toMatchObject({ verdict: "skipped" });

    // biome-ignore lint/correctness/useYield: it finds out before its first case
    const finds = attack(async function* () {
      throw new UnfitStageError("needs two of them");
    });
    expect(await runAttack(finds, site)).toMatchObject({ verdict: "skipped", reason: "needs two of them" });
  });
});
