import { createHash } from "node:crypto";
import { type ClientId, fromHex, utf8 } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { readVectors } from "../../../../vectors/load.ts";
import { AggregateWriter, aggregateOf } from "./aggregate.ts";
import { format } from "./decimal.ts";
import { productOf } from "./product.ts";
import { Rounds } from "./rounds.ts";
import { messageValue } from "./value.ts";

interface ValuesVectors {
  messages: { id: string; message: string; value: string }[];
  products: {
    id: string;
    messages: { text: string; times: number }[];
    contributors: number;
    overflow: boolean;
    aggregate?: string | null;
    aggregateLength?: number;
    aggregateSha256?: string;
  }[];
  json: {
    id: string;
    round: number;
    contributions: string[] | { text: string; times: number };
    covers: number;
    toContributors: Record<string, unknown>[];
    toCovers?: Record<string, unknown>;
    valueSha256?: string;
  }[];
  rounds: { id: string; steps: string[][]; answers: Record<string, unknown> }[];
}
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
    const answers: Record<string, unknown> = {};
    const rounds = new Rounds({ maxMessage: 4096, clock: { now: () => 0, after: () => () => {} } });
    const sessions = new Map<string, object>();
    const sessionOf = (name: string) => {
      const known = sessions.get(name);
      if (known !== undefined) return known;
      const made = { name };
      sessions.set(name, made);
      rounds.join(made);
      return made;
    };
    // All sessions are live from the start here, so that only `close` ends the round.
    const bystander = {};
    rounds.join(bystander);
    for (const [op, ...rest] of v.steps) {
      const [client = "", session = "", message = ""] = rest.map(String);
      if (op === "close") rounds.close();
      else if (op === "ended") rounds.leave(sessionOf(client));
      else {
        rounds.contribute(
          sessionOf(session),
          Number(client) as ClientId,
          utf8(message),
          op === "cover" ? "cover" : "message",
          (m) => {
            answers[session] = JSON.parse(new TextDecoder().decode(m));
          },
        );
      }
    }
    expect(answers).toEqual(v.answers);
  });
});
