import { createHash } from "node:crypto";
import { fromHex, utf8 } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { AggregateWriter, aggregateOf } from "../packages/server/src/rounds/aggregate.ts";
import { format } from "../packages/server/src/rounds/decimal.ts";
import { productOf } from "../packages/server/src/rounds/product.ts";
import { messageValue } from "../packages/server/src/rounds/value.ts";
import { readVectors, type ValuesVectors } from "./load.ts";
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
