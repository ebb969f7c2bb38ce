/** The value below which a share of them lies; 0 of none. @param sorted ascending @param share 0 … 1 */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

export function median(sorted: readonly number[]): number {
  return quantile(sorted, 0.5);
}

export const ascending = (of: readonly number[]): number[] => [...of].sort((a, b) => a - b);

/** How far apart two samples are. */
export interface Difference {
  /** Of the medians, the second less the first. */
  readonly medians: number;
  /** Welch's t of what is left below the 80th percentile of both together: the tail is the machine's, not the victim's. */
  readonly t: number;
}

export function differenceOf(a: readonly number[], b: readonly number[]): Difference {
  const most = quantile(ascending([...a, ...b]), 0.8);
  const [first, second] = [a, b].map((of) => momentsOf(of.filter((x) => x <= most)));
  if (first === undefined || second === undefined) throw new RangeError("two samples are compared");
  const error = Math.sqrt(first.variance / first.count + second.variance / second.count);
  const medians = median(ascending(b)) - median(ascending(a));
  // A sample all of which lies beyond has no mean; no error, and a difference, is as far apart as can be.
  if (first.count < 2 || second.count < 2) return { medians, t: Number.POSITIVE_INFINITY };
  return { medians, t: error === 0 ? 0 : (second.mean - first.mean) / error };
}

function momentsOf(of: readonly number[]): { count: number; mean: number; variance: number } {
  const mean = of.reduce((total, x) => total + x, 0) / of.length;
  const variance = of.reduce((total, x) => total + (x - mean) ** 2, 0) / (of.length - 1);
  return { count: of.length, mean, variance };
}
