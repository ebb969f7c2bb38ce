import { utf8 } from "@pawl/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compare, type Decimal, divideRounded, format, parseDecimal, sumOf } from "./decimal.ts";
import { MAX_AGGREGATE_DIGITS, productOf } from "./product.ts";
import { messageValue } from "./value.ts";

const decimal: fc.Arbitrary<Decimal> = fc.record({
  coefficient: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
  exponent: fc.integer({ min: -40, max: 40 }),
});
/** As an exact fraction over 10^200, calculated apart. */
const scaled = ({ coefficient, exponent }: Decimal) => coefficient * 10n ** BigInt(exponent + 200);

describe("decimals", () => {
  it("format and parse back to the same value, plainly", () => {
    fc.assert(
      fc.property(decimal, (value) => {
        const text = format(value);
        expect(text).toMatch(/^(?:0|-?(?:[1-9]\d*|0)(?:\.\d*[1-9])?)$/);
        expect(text).not.toBe("-0");
        expect(scaled(parseDecimal(text) ?? { coefficient: -1n, exponent: 0 })).toBe(scaled(value));
      }),
    );
  });

  it("add and compare exactly", () => {
    fc.assert(
      fc.property(fc.array(decimal, { maxLength: 20 }), decimal, decimal, (terms, a, b) => {
        expect(scaled(sumOf(terms))).toBe(terms.reduce((sum, term) => sum + scaled(term), 0n));
        expect(Math.sign(compare(a, b))).toBe(Number(scaled(a) > scaled(b)) - Number(scaled(a) < scaled(b)));
      }),
    );
  });

  it("divide exactly where that ends in time, else to so many digits, half to even", () => {
    const divided = (text: string, by: number, digits = 34) =>
      format(divideRounded(parseDecimal(text) ?? { coefficient: 0n, exponent: 0 }, by, digits));
    expect(divided("1", 3)).toBe(`0.${"3".repeat(34)}`);
    expect(divided("2", 3)).toBe(`0.${"6".repeat(33)}7`);
    expect(divided("-1", 4)).toBe("-0.25");
    expect(divided("10", 5)).toBe("2");
    expect(divided("0", 7)).toBe("0");
    expect([divided("25", 2, 2), divided("23", 2, 1), divided("50", 20, 1), divided("70", 20, 1)]).toEqual([
      "12",
      "10",
      "2",
      "4",
    ]);
    fc.assert(
      fc.property(decimal, fc.integer({ min: 1, max: 1000 }), (value, by) => {
        const quotient = divideRounded(value, by, 34);
        const error = scaled(quotient) * BigInt(by) - scaled(value);
        const size = scaled(quotient) < 0n ? -scaled(quotient) : scaled(quotient);
        expect((error < 0n ? -error : error) * 10n ** 33n <= size * BigInt(by)).toBe(true);
      }),
    );
  });
});

describe("products", () => {
  it("are exact in any order", () => {
    fc.assert(
      fc.property(fc.array(decimal, { maxLength: 12 }), (factors) => {
        const expected = factors.reduce((all, { coefficient }) => all * coefficient, 1n);
        const exponent = factors.reduce((all, factor) => all + factor.exponent, 0);
        for (const order of [factors, factors.toReversed()]) {
          const product = productOf(order);
          expect(product && format(product)).toBe(format({ coefficient: expected, exponent }));
        }
      }),
    );
  });

  it("are not multiplied out where they must be too long, however many factors there are", () => {
    const nines = parseDecimal("9".repeat(1_000)) ?? { coefficient: 0n, exponent: 0 };
    // Multiplied out, this would take minutes.
    expect(productOf(Array.from({ length: 10_000 }, () => nines))).toBeNull();
    expect(productOf([{ coefficient: 1n, exponent: 10 ** 9 }])).toBeNull();
    const ones = productOf(Array.from({ length: 1_000 }, () => ({ coefficient: 2n, exponent: 0 })));
    expect(format(ones ?? { coefficient: 0n, exponent: 0 })).toBe((2n ** 1000n).toString());
    expect(MAX_AGGREGATE_DIGITS).toBe(100_000);
  });
});

describe("values of hostile messages", () => {
  it("are bounded in size, and are lengths where they are no numbers", () => {
    const megabyte = 1 << 20;
    expect(format(messageValue(utf8("1e999999999")))).toBe("11");
    expect(format(messageValue(utf8("9".repeat(megabyte))))).toBe(String(megabyte));
    expect(format(messageValue(utf8("1 ".repeat(megabyte / 2))))).toBe(String(megabyte / 2));
    expect(format(messageValue(utf8("999999999,".repeat(100_000))))).toBe("99999999900000");
    expect(format(messageValue(utf8(`1e-1000 ${"1e1000 ".repeat(100_000)}`))).length).toBe(1_006 + 1 + 1_000);
    expect(format(messageValue(utf8(",".repeat(megabyte))))).toBe(String(megabyte));
  });
});
