/**
 * Exact decimals for rounds (section 5): a BigInt coefficient and a power of ten. Nothing is ever rounded, but by
 * `divideRounded`, which says so. What comes from outside is bounded before any arithmetic.
 */
export interface Decimal {
  /** The value is `coefficient × 10^exponent`. */
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** Section 5: digits of a number, its mantissa as written. */
export const MAX_DIGITS = 1_000;
/** Section 5: the exponent of a number, by value. */
export const MAX_EXPONENT = 1_000;

export const ZERO: Decimal = { coefficient: 0n, exponent: 0 };
export const ONE: Decimal = { coefficient: 1n, exponent: 0 };

export function fromInteger(value: number | bigint): Decimal {
  return { coefficient: BigInt(value), exponent: 0 };
}

const NUMBER = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?$/;

/** The number that `token` is by the grammar of section 5, or null where it is none or passes a limit. */
export function parseDecimal(token: string): Decimal | null {
  const match = NUMBER.exec(token);
  if (match === null) return null;
  const [, sign, whole = "", behindWhole = "", alone = "", exponentText = "0"] = match;
  const fraction = behindWhole + alone;
  if (whole.length + fraction.length > MAX_DIGITS) return null;
  const exponent = parseExponent(exponentText);
  if (exponent === null) return null;
  const magnitude = BigInt(whole + fraction);
  return { coefficient: sign === "-" ? -magnitude : magnitude, exponent: exponent - fraction.length };
}

/** An exponent counts by value, however many zeros it starts with; null beyond the limit. */
function parseExponent(text: string): number | null {
  const digits = text.replace(/^[+-]?0*/, "");
  if (digits.length > String(MAX_EXPONENT).length) return null;
  const value = Number(digits);
  if (value > MAX_EXPONENT) return null;
  return text.startsWith("-") ? -value : value;
}

/** Adds up exactly: one accumulator for each exponent, so that a term costs an addition of its own size. */
export class Sum {
  readonly #byExponent = new Map<number, bigint>();

  add({ coefficient, exponent }: Decimal): this {
    this.#byExponent.set(exponent, (this.#byExponent.get(exponent) ?? 0n) + coefficient);
    return this;
  }

  get total(): Decimal {
    let least = 0;
    for (const exponent of this.#byExponent.keys()) least = Math.min(least, exponent);
    let coefficient = 0n;
    for (const [exponent, part] of this.#byExponent) coefficient += part * 10n ** BigInt(exponent - least);
    return { coefficient, exponent: least };
  }
}

export function sumOf(terms: Iterable<Decimal>): Decimal {
  const sum = new Sum();
  for (const term of terms) sum.add(term);
  return sum.total;
}

/** Negative where `a < b`, 0 where they are equal, positive where `a > b`. */
export function compare(a: Decimal, b: Decimal): number {
  const { coefficient } = sumOf([a, { coefficient: -b.coefficient, exponent: b.exponent }]);
  return coefficient < 0n ? -1 : coefficient > 0n ? 1 : 0;
}

/**
 * `value ÷ divisor`, exact where that has at most `digits` significant digits, else rounded to so many, half to even.
 * @param divisor a positive integer
 */
export function divideRounded(value: Decimal, divisor: number, digits: number): Decimal {
  const by = BigInt(divisor);
  const negative = value.coefficient < 0n;
  const dividend = negative ? -value.coefficient : value.coefficient;
  if (dividend === 0n) return ZERO;
  // So many places that the quotient has more than `digits` digits, then cut back to that many.
  const places = Math.max(0, digits + 1 + String(divisor).length - decimalDigits(dividend));
  const scaled = dividend * 10n ** BigInt(places);
  const quotient = scaled / by;
  const excess = decimalDigits(quotient) - digits;
  let exponent = value.exponent - places;
  let rounded = quotient;
  if (excess > 0) {
    const unit = 10n ** BigInt(excess);
    rounded = quotient / unit;
    const rest = (quotient % unit) * by + (scaled % by);
    const half = (unit * by) / 2n;
    const exactHalf = rest === half && (unit * by) % 2n === 0n;
    if (exactHalf ? rounded % 2n === 1n : rest > half) rounded++;
    exponent += excess;
  }
  return { coefficient: negative ? -rounded : rounded, exponent };
}

function decimalDigits(positive: bigint): number {
  return positive.toString().length;
}

/** Plain: no exponent, no needless zero, no `-0`. */
export function format({ coefficient, exponent }: Decimal): string {
  if (coefficient === 0n) return "0";
  const sign = coefficient < 0n ? "-" : "";
  const digits = (coefficient < 0n ? -coefficient : coefficient).toString();
  if (exponent >= 0) return sign + digits + "0".repeat(exponent);
  const padded = digits.padStart(1 - exponent, "0");
  const point = padded.length + exponent;
  let end = padded.length;
  while (end > point && padded.charCodeAt(end - 1) === ZERO_CODE) end--;
  return sign + padded.slice(0, point) + (end > point ? `.${padded.slice(point, end)}` : "");
}

const ZERO_CODE = 48;
