import { describe, expect, it } from "vitest";
import type { BenchConnection } from "../targets/target.ts";
import { MEASUREMENTS } from "./index.ts";
import { type Measurement, WrongAnswerError } from "./measurement.ts";

/** That no wrong answer is taken for a fast one. */

describe("every answer", () => {
  /** Answers rightly but for one bit at `at` of each answer behind the first `right` ones. */
  function wrongAt(at: number, right: number): BenchConnection {
    let answers = 0;
    return {
      roundTrip: async (message) => {
        const answer = message.slice();
        const index = at < 0 ? answer.length + at : at;
        if (answers++ >= right) answer[index] = (answer[index] ?? 0) ^ 1;
        return answer;
      },
      close: async () => {},
    };
  }

  function workOf(measurement: Measurement, connection: BenchConnection): Promise<object> {
    const { connected } = measurement.setting({ repetitions: 1, sample: EFFORT, warmUp: EFFORT });
    const clients = { connected: Array.from({ length: connected }, () => connection) };
    return measurement.work({ ...clients, dial: async () => connection }, EFFORT);
  }

  const EFFORT = { ms: 10, idle: 20 };
  const ECHOES = MEASUREMENTS.filter(({ name }) => !name.startsWith("rounds"));

  it.each(ECHOES)("is compared, byte by byte: $name", async (measurement) => {
    for (const at of [0, 7, 20, -1])
      await expect(workOf(measurement, wrongAt(at, 3))).rejects.toThrow(WrongAnswerError);
    await expect(workOf(measurement, wrongAt(0, Number.POSITIVE_INFINITY))).resolves.toBeDefined();
  });

  it("that is an earlier one is refused", async () => {
    const kept: Uint8Array[] = [];
    const stale: BenchConnection = {
      roundTrip: async (message) => {
        kept.push(message.slice());
        return kept[0] ?? message;
      },
      close: async () => {},
    };
    const one = MEASUREMENTS.find(({ name }) => name === "round-trips-1-64");
    await expect(one && workOf(one, stale)).rejects.toThrow(WrongAnswerError);
  });

  it("of a round has to be the product of all, and one's own value", async () => {
    const rounds = MEASUREMENTS.find(({ name }) => name === "rounds-100");
    const product = Array.from({ length: 100 }, (_, index) => BigInt(101 + index)).reduce((a, b) => a * b);
    const answering = (of: (value: string) => object): BenchConnection => ({
      roundTrip: async (message) =>
        Buffer.from(JSON.stringify({ contributors: 100, ...of(Buffer.from(message).toString()) })),
      close: async () => {},
    });
    const work = (of: (value: string) => object) => rounds && workOf(rounds, answering(of));
    await expect(work((value) => ({ value, aggregate: `${product}` }))).resolves.toBeDefined();
    await expect(work((value) => ({ value, aggregate: `${product + 1n}` }))).rejects.toThrow(
      WrongAnswerError,
    );
    await expect(work(() => ({ value: "7", aggregate: `${product}` }))).rejects.toThrow(WrongAnswerError);
  });
});
