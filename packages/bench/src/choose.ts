import type { Comparison } from "./compare.ts";
import type { Targets } from "./targets/index.ts";

/**
 * The names in `wanted`, which may hold several, separated by commas; in the order of `all`, and all of them unless some are named.
 * @throws RangeError which names those that there are
 */
export function chosen(
  kind: string,
  wanted: readonly string[] | undefined,
  all: readonly string[],
): readonly string[] {
  if (wanted === undefined) return all;
  const names = wanted.flatMap((text) => text.split(",")).map((name) => name.trim());
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`no ${kind} is called ${JSON.stringify(unknown)}; there are ${all.join(", ")}`);
  }
  return all.filter((name) => names.includes(name));
}

/** Those of the targets that can be measured here; `leftOut` is told of the others, and why. @throws Error where none can */
export async function availableTargets(
  targets: Targets,
  names: readonly string[],
  leftOut: (name: string, why: string) => void,
): Promise<Comparison["targets"]> {
  const found: Comparison["targets"][number][] = [];
  for (const name of names) {
    const target = await targets[name]?.();
    if (target === undefined) continue;
    const why = target.unavailable?.() ?? null;
    if (why === null) found.push({ name, applications: target.applications });
    else leftOut(name, why);
  }
  if (found.length === 0) throw new Error("there is nothing left to measure");
  return found;
}
