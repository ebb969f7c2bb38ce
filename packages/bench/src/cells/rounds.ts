import type { BenchConnection } from "../targets/target.ts";
import { type Measurement, STEADY_WARM_UPS, WrongAnswerError } from "./measurement.ts";

interface Outcome {
  readonly rounds: number;
  readonly seconds: number;
}

/** Barrier rounds: every client sends a number, and all get the product once the last has sent. */
export function rounds(clients: number): Measurement<Outcome> {
  return {
    name: `rounds-${clients}`,
    cells: [{ name: `rounds-${clients}`, unit: "rounds/s", better: "more" }],
    warmUps: STEADY_WARM_UPS,
    setting: () => ({ fresh: false, application: "rounds", durable: false, clients, connected: clients }),

    work: async ({ connected }, { ms }) => {
      const values = connected.map((_, index) => BigInt(FIRST_VALUE + index));
      const product = values.reduce((result, value) => result * value, 1n).toString();
      const contributors = connected.map(
        (connection, index) => new Contributor(connection, String(values[index]), product),
      );
      // The server waits for those of whom it knows: the first rounds are of fewer.
      await Promise.all(contributors.map((one) => one.untilAllAreThere(clients)));
      const started = performance.now();
      let count = 0;
      for (const until = started + ms; performance.now() < until; count++) {
        await Promise.all(contributors.map((one) => one.contribute()));
      }
      return { rounds: count, seconds: (performance.now() - started) / 1_000 };
    },

    figures: ({ rounds, seconds }) => [rounds / seconds],
  };
}

/** Three digits, as a meter's reading may have. */
const FIRST_VALUE = 101;

class Contributor {
  readonly #connection: BenchConnection;
  readonly #value: string;
  readonly #message: Uint8Array;
  readonly #product: string;

  constructor(connection: BenchConnection, value: string, product: string) {
    this.#connection = connection;
    this.#value = value;
    this.#message = Buffer.from(value);
    this.#product = product;
  }

  async untilAllAreThere(clients: number): Promise<void> {
    for (let there = 0; there !== clients; ) {
      const { contributors } = await this.#round();
      if (typeof contributors !== "number") throw new WrongAnswerError();
      there = contributors;
    }
  }

  /** @throws WrongAnswerError where it is not the product of all */
  async contribute(): Promise<void> {
    const { value, aggregate } = await this.#round();
    if (value !== this.#value || aggregate !== this.#product) throw new WrongAnswerError();
  }

  async #round(): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.#connection.roundTrip(this.#message);
    return JSON.parse(Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).toString());
  }
}
