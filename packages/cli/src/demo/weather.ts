import { readFileSync } from "node:fs";

/** One day of packages/cli/data/seattle-weather.csv. */
export interface Day {
  readonly date: string;
  /** As the file writes them: numbers, but for the last, a word. */
  readonly columns: Readonly<Record<Column, string>>;
}

/** The columns that the demo's clients send, one each. */
export const COLUMNS = ["precipitation", "temp_max", "temp_min", "wind", "weather"] as const;
export type Column = (typeof COLUMNS)[number];

const FILE = new URL("../../data/seattle-weather.csv", import.meta.url);

/** 2012-01-02: a dry day, as the one before it, would make its whole product 0. */
const FIRST_DAY = 1;

/** `count` days from 2012-01-02 on; of more than the file has, its first follow its last. */
export function readDays(count: number): Day[] {
  const [, ...lines] = readFileSync(FILE, "utf8").trim().split("\n");
  const days = lines.map((line): Day => {
    const [date = "", precipitation = "", temp_max = "", temp_min = "", wind = "", weather = ""] =
      line.split(",");
    return { date, columns: { precipitation, temp_max, temp_min, wind, weather } };
  });
  return Array.from({ length: count }, (_, index) => {
    const day = days[(FIRST_DAY + index) % days.length];
    if (day === undefined) throw new RangeError("the weather file is empty");
    return day;
  });
}

/**
 * What the server has to say of these inputs, calculated another way than the server does it: every number as a count of
 * millionths, the product as one integer, the point put back at the end.
 */
export function expectedProduct(inputs: readonly string[]): string {
  let product = 1n;
  for (const input of inputs) product *= millionths(input);
  const places = 6 * inputs.length;
  const sign = product < 0n ? "-" : "";
  const digits = (product < 0n ? -product : product).toString().padStart(places + 1, "0");
  const whole = digits.slice(0, -places);
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return product === 0n ? "0" : sign + whole + (fraction === "" ? "" : `.${fraction}`);
}

function millionths(input: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(input);
  if (match === null) return BigInt(new TextEncoder().encode(input).length) * 1_000_000n;
  const [, sign = "", whole = "", fraction = ""] = match;
  const value = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
  return sign === "-" ? -value : value;
}
