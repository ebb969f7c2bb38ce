/** The value below which a share of them lies; 0 of none. @param sorted ascending @param share 0 … 1 */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

export function median(sorted: readonly number[]): number {
  return quantile(sorted, 0.5);
}
