import type { Stage } from "../../stage.ts";

/** Does the work of an attack with as many victims side by side as there may be, and gives what came of each wave. */
export async function* inWaves<T, R>(
  { signal, width }: Stage,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): AsyncGenerator<R[], void> {
  for (let from = 0; from < items.length; from += width) {
    signal.throwIfAborted();
    yield await Promise.all(items.slice(from, from + width).map(work));
  }
}
