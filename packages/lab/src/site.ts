import type { StageOptions } from "./stage.ts";
import type { World } from "./world/world.ts";

/** Where attacks on one suite are carried out: a server of the lab's own, or somebody else's. */
export type Site = Omit<StageOptions, "full" | "signal">;

export function siteOf(world: World): Site {
  return { suite: world.suite, at: world.at, world, enrol: (count) => world.enrol(count) };
}
