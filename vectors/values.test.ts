import { createHash } from "node:crypto";
import { fromHex, utf8 } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { AggregateWriter, aggregateOf } from "../packages/server/src/rounds/aggregate.ts";
import { format } from "../packages/server/src/rounds/decimal.ts";
import { productOf } from "../packages/server/src/rounds/product.ts";
import { REDUCER_NAMES } from "../packages/server/src/rounds/reducers.ts";
import { messageValue } from "../packages/server/src/rounds/value.ts";
import { type AggregatesVectors, readVectors, type ValuesVectors } from "./load.ts";
import { playRounds } from "./recompute/values.ts";

const vectors = readVectors<ValuesVectors>("values");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("values.json", () => {
  it.each(vectors.messages)("$id", ({ message, value }) => {
    expect(format(messageValue(fromHex(message)))).toBe(value);
  });

  it.each(vectors.products)("$id", (v) => {
    const factors = v.messages.flatMap(({ text, times }) =>
      Array.from({ length: times }, () => messageValue(utf8(text))),
    );
    for (const order of [factors, factors.toReversed()]) {
      const product = productOf(order);
      expect(product === null).toBe(v.overflow);
      if (product === null) continue;
      const text = format(product);
      if (typeof v.aggregate === "string") expect(text).toBe(v.aggregate);
      else
        expect({ length: text.length, sha256: sha256(text) }).toEqual({
          length: v.aggregateLength,
          sha256: v.aggregateSha256,
        });
    }
  });

  it.each(vectors.json)("$id", (v) => {
    const texts = Array.isArray(v.contributions)
      ? v.contributions
      : Array.from({ length: v.contributions.times }, () => `${"9".repeat(1000)}e1000`);
    const values = texts.map((text) => messageValue(utf8(text)));
    const writer = new AggregateWriter(aggregateOf(v.round, values, []), 1 << 20);
    const parsed = (message: Uint8Array) =>
      JSON.parse(new TextDecoder().decode(message)) as Record<string, unknown>;
    for (const [index, value] of values.entries()) {
      const made = parsed(writer.write(value));
      const expected = v.toContributors[index] ?? v.toContributors[0] ?? {};
      if (v.valueSha256 === undefined) expect(made).toEqual(expected);
      else {
        expect(sha256(String(made.value))).toBe(v.valueSha256);
        expect({ ...made, value: null }).toEqual(expected);
      }
    }
    if (v.covers > 0) expect(parsed(writer.write(null))).toEqual(v.toCovers);
  });

  it.each(vectors.rounds)("$id", (v) => {
    expect(playRounds(v.steps)).toEqual(v.answers);
  });
});

describe("aggregates.json", () => {
  const { rounds } = readVectors<AggregatesVectors>("aggregates");
  it.each(rounds)("$id", ({ messages, aggregate, also }) => {
    const values = messages.map((text) => messageValue(utf8(text)));
    expect(aggregateOf(1, values, REDUCER_NAMES)).toMatchObject({ product: aggregate, also });
    // The mean, another way: its product with the count is within half a unit of its last digit of the sum.
    const { mean, sum, count } = also;
    if (typeof mean !== "string" || typeof sum !== "string") return;
    const scaled = (text: string) => {
      const [whole = "", fraction = ""] = text.replace("-", "").split(".");
      return BigInt(`${text.startsWith("-") ? "-" : ""}${whole}${fraction.padEnd(2_100, "0")}`);
    };
    const error = scaled(mean) * BigInt(count ?? 0) - scaled(sum);
    const bound = scaled(sum) / 10n ** 33n;
    expect(error * error <= bound * bound).toBe(true);
  });
});
