import { type Decimal, fromInteger, parseDecimal, Sum } from "./decimal.ts";

/** Digits that a token may have to be added as a plain number; so many of them stay exact in a double. */
const FAST_DIGITS = 9;
const FAST_TOTAL = 2 ** 52;

/**
 * Section 5: the exact sum of the message's numbers, where it is text of decimal numbers alone and has at least one;
 * else its length in bytes.
 */
export function messageValue(message: Uint8Array): Decimal {
  return sumOfNumbers(message) ?? fromInteger(message.length);
}

function sumOfNumbers(message: Uint8Array): Decimal | null {
  const sum = new Sum();
  // Short integers, the common case, are summed as doubles and carried over before they could lose a digit.
  let fast = 0;
  let tokens = 0;
  let at = 0;
  while (at < message.length) {
    if (isSeparator(message[at] ?? 0)) {
      at++;
      continue;
    }
    const start = at;
    let integer = 0;
    let plain = true;
    for (; at < message.length; at++) {
      const byte = message[at] ?? 0;
      if (isSeparator(byte)) break;
      // A number is ASCII text; anything else makes the whole message none.
      if (byte > 0x7f) return null;
      if (byte >= 0x30 && byte <= 0x39) integer = integer * 10 + (byte - 0x30);
      else plain = false;
    }
    tokens++;
    if (plain && at - start <= FAST_DIGITS) {
      fast += integer;
      if (fast > FAST_TOTAL) {
        sum.add(fromInteger(fast));
        fast = 0;
      }
      continue;
    }
    const decimal = parseDecimal(
      Buffer.from(message.buffer, message.byteOffset + start, at - start).toString("latin1"),
    );
    if (decimal === null) return null;
    sum.add(decimal);
  }
  return tokens === 0 ? null : sum.add(fromInteger(fast)).total;
}

/** Section 6: space, tab, line feed, vertical tab, form feed, carriage return; and the comma. */
function isSeparator(byte: number): boolean {
  return byte === 0x20 || byte === 0x2c || (byte >= 0x09 && byte <= 0x0d);
}
