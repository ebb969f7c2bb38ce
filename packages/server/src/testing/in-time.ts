/** Far above what anything takes, and below what a test may take: not a promise, the end of patience. Milliseconds. */
export const PATIENCE_MS = 15_000;

/**
 * What `promise` gives. A test that would wait for ever says what for, and what has been seen instead.
 * @param what is awaited
 */
export function inTime<T>(
  what: string,
  promise: Promise<T>,
  seen: () => string,
  ms: number = PATIENCE_MS,
): Promise<T> {
  // Made here, so that it points at who waits.
  const late = new Error();
  Error.captureStackTrace(late, inTime);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      late.message = `waited ${ms / 1_000} s for ${what}; seen: ${seen()}`;
      reject(late);
    }, ms);
    promise.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}

/** How many of each type there are, in the order of the first: `connection ×3, listening`. */
export function tally(events: readonly { readonly type: string }[]): string {
  const counts = new Map<string, number>();
  for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1);
  if (counts.size === 0) return "nothing";
  return [...counts].map(([type, count]) => (count === 1 ? type : `${type} ×${count}`)).join(", ");
}
