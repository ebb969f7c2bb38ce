import { type Decimal, ONE, ZERO } from "./decimal.ts";

/** Section 5: an aggregate with more digits in its plain form is not computed. */
export const MAX_AGGREGATE_DIGITS = 100_000;

const LOG10_OF_2 = Math.log10(2);
const LOG10_OF_5 = Math.log10(5);

/**
 * The exact product of the factors, or null where its plain form has over 100,000 digits. It is the result that counts,
 * in any order: a product may be longer on the way. So the powers of two and five are counted apart, since they alone
 * can cancel; what is left only grows, and is not multiplied out where it must pass the limit.
 */
export function productOf(factors: readonly Decimal[]): Decimal | null {
  if (factors.some(({ coefficient }) => coefficient === 0n)) return ZERO;
  let [twos, fives, exponent, negative, leastBits] = [0, 0, 0, false, 0];
  const cores: bigint[] = [];
  for (const factor of factors) {
    exponent += factor.exponent;
    if (factor.coefficient < 0n) negative = !negative;
    const two = splitPower(factor.coefficient < 0n ? -factor.coefficient : factor.coefficient, 2n);
    const five = splitPower(two.rest, 5n);
    twos += two.power;
    fives += five.power;
    if (five.rest === 1n) continue;
    cores.push(five.rest);
    leastBits += bitLength(five.rest) - 1;
  }
  // 2^a · 5^b = 10^min(a, b) · (the surplus of one of them)
  const tens = Math.min(twos, fives);
  const surplusDigits = (twos - tens) * LOG10_OF_2 + (fives - tens) * LOG10_OF_5;
  if (leastBits * LOG10_OF_2 + surplusDigits > MAX_AGGREGATE_DIGITS + 1) return null;
  const surplus = 2n ** BigInt(twos - tens) * 5n ** BigInt(fives - tens);
  const magnitude = multiply(cores) * surplus;
  const product = { coefficient: negative ? -magnitude : magnitude, exponent: exponent + tens };
  return plainDigits(magnitude, product.exponent) > MAX_AGGREGATE_DIGITS ? null : product;
}

/** Digits of the plain form of `magnitude × 10^exponent`, `magnitude` positive and not a multiple of ten. */
function plainDigits(magnitude: bigint, exponent: number): number {
  // Far beyond the limit there is no need to know how far.
  if (exponent > MAX_AGGREGATE_DIGITS) return exponent;
  const digits = magnitude.toString().length;
  return exponent >= 0 ? digits + exponent : Math.max(digits, 1 - exponent);
}

/** Balanced, so that long numbers meet long numbers. */
function multiply(factors: readonly bigint[]): bigint {
  let level = factors;
  while (level.length > 1) {
    const next: bigint[] = [];
    for (let i = 0; i < level.length; i += 2) next.push((level[i] ?? 1n) * (level[i + 1] ?? 1n));
    level = next;
  }
  return level[0] ?? ONE.coefficient;
}

/** `value = prime^power × rest`, `rest` no multiple of `prime`. A logarithmic number of divisions. */
function splitPower(value: bigint, prime: bigint): { power: number; rest: bigint } {
  const powers: bigint[] = [];
  let rest = value;
  let power = 0;
  for (let step = prime; rest % step === 0n; step *= step) {
    powers.push(step);
    rest /= step;
    power += 2 ** (powers.length - 1);
  }
  for (let i = powers.length - 1; i >= 0; i--) {
    const step = powers[i] ?? 1n;
    if (rest % step !== 0n) continue;
    rest /= step;
    power += 2 ** i;
  }
  return { power, rest };
}

function bitLength(positive: bigint): number {
  const hex = positive.toString(16);
  return hex.length * 4 - (Math.clz32(Number.parseInt(hex.charAt(0), 16)) - 28);
}
