import { compare, type Decimal, divideRounded, fromInteger, sumOf } from "./decimal.ts";
import { productOf } from "./product.ts";

/** Significant digits of a mean that does not end: those of IEEE 754 decimal128. */
export const MEAN_DIGITS = 34;

/**
 * The ways to reduce a round's values to one. Null: over 100,000 digits (or, of no values, nothing to say).
 * A new one is an entry here.
 */
export const REDUCERS = {
  /** Section 5. Of no values: 1. */
  product: productOf,
  /** Of no values: 0. */
  sum: (values: readonly Decimal[]) => sumOf(values),
  /** Exact where it has at most 34 significant digits, else rounded to 34, half to even. */
  mean: (values: readonly Decimal[]) =>
    values.length === 0 ? null : divideRounded(sumOf(values), values.length, MEAN_DIGITS),
  min: (values: readonly Decimal[]) => extreme(values, -1),
  max: (values: readonly Decimal[]) => extreme(values, 1),
  count: (values: readonly Decimal[]) => fromInteger(values.length),
} as const satisfies Record<string, (values: readonly Decimal[]) => Decimal | null>;

export type ReducerName = keyof typeof REDUCERS;
export const REDUCER_NAMES = Object.keys(REDUCERS) as ReducerName[];

function extreme(values: readonly Decimal[], sign: 1 | -1): Decimal | null {
  let found: Decimal | null = null;
  for (const value of values) if (found === null || sign * compare(value, found) > 0) found = value;
  return found;
}
