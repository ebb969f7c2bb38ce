import type { Stage } from "../../stage.ts";
import type { World, WorldOptions } from "../../world/world.ts";

/** How long what has to come is waited for, milliseconds: on a busy machine everything takes longer. */
export const PATIENCE_MS = 5_000;

/** What is not about deadlines is not to fail by them. */
const DEADLINES = { helloDeadlineMs: 60_000, firstPacketDeadlineMs: 60_000 };

/** A server for an attack alone, with time for everything. */
export function patientWorld(
  stage: Stage,
  { server, ...options }: Omit<WorldOptions, "suite"> = {},
): Promise<World> {
  return stage.privateWorld({
    ...options,
    server: { ...server, limits: { ...DEADLINES, ...server?.limits } },
  });
}

/** One whose rounds wait for nobody. */
export function eagerWorld(stage: Stage, server: WorldOptions["server"] = {}): Promise<World> {
  return patientWorld(stage, { server: { rounds: { policy: "eager" }, ...server } });
}
