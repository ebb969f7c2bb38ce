import { createHash } from "node:crypto";
import { type ClientId, type Epoch, utf8 } from "@pawl/protocol";
import { systemClock } from "../../packages/protocol/src/driver/index.ts";
import { AggregateWriter, aggregateOf } from "../../packages/server/src/rounds/aggregate.ts";
import type { RoundSession } from "../../packages/server/src/rounds/backend.ts";
import { type Decimal, format } from "../../packages/server/src/rounds/decimal.ts";
import { LocalRounds } from "../../packages/server/src/rounds/local.ts";
import { productOf } from "../../packages/server/src/rounds/product.ts";
import { messageValue } from "../../packages/server/src/rounds/value.ts";
import { bytes, type ValuesVectors } from "../load.ts";
import { fill } from "./schedule.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const parse = (message: Uint8Array) =>
  JSON.parse(new TextDecoder().decode(message)) as Record<string, unknown>;

export function recomputeValues(file: ValuesVectors & Record<string, unknown>): Record<string, unknown> {
  return {
    ...file,
    messages: file.messages.map((v) => fill(v, { value: format(messageValue(bytes(v.message))) })),
    products: file.products.map((v) => {
      const factors = repeated(v.messages);
      const product = productOf(factors);
      const text = product === null ? null : format(product);
      return fill(v, {
        contributors: factors.length,
        overflow: product === null,
        aggregate: text,
        ...(text === null ? {} : { aggregateLength: text.length, aggregateSha256: sha256(text) }),
      });
    }),
    json: file.json.map((v) => {
      const values = Array.isArray(v.contributions)
        ? v.contributions.map((text) => messageValue(utf8(text)))
        : repeated([{ text: `${"9".repeat(1000)}e1000`, times: v.contributions.times }]);
      const writer = new AggregateWriter(aggregateOf(v.round, values, []), 1 << 20);
      const answers = values.map((value) => parse(writer.write(value)));
      // Where all get the same long value, one stands for all, its value as a hash.
      const shown = v.valueSha256 === undefined ? answers : [{ ...answers[0], value: null }];
      return fill(v, {
        toContributors: shown.map((answer, index) => fill(v.toContributors[index] ?? {}, answer)),
        ...(v.toCovers === undefined ? {} : { toCovers: fill(v.toCovers, parse(writer.write(null))) }),
        valueSha256: sha256(String(answers[0]?.value)),
      });
    }),
    rounds: file.rounds.map((v) => fill(v, { answers: playRounds(v.steps) })),
  };
}

function repeated(messages: readonly { text: string; times: number }[]): Decimal[] {
  return messages.flatMap(({ text, times }) => Array.from({ length: times }, () => messageValue(utf8(text))));
}

/** A session that is made later is a later one of its client. */
function newSession(id: number, client: number): RoundSession {
  return { id, clientId: client as ClientId, epoch: id as Epoch, generation: null };
}

/** Answers by session, of rounds that close only when a step says so. */
export function playRounds(steps: readonly (readonly (string | number)[])[]): Record<string, unknown> {
  const answers: Record<string, unknown> = {};
  const clock = { ...systemClock, now: () => 0, after: () => () => {} };
  const rounds = new LocalRounds({ maxMessage: 4096, clock, onRound: () => {} });
  // Somebody is live who never sends: no round is complete by itself.
  rounds.join(newSession(0, 0));
  const sessions = new Map<string, RoundSession>();
  const sessionOf = (name: string, client: number) => {
    const session = sessions.get(name) ?? newSession(sessions.size + 1, client);
    if (!sessions.has(name)) rounds.join(session);
    sessions.set(name, session);
    return session;
  };
  for (const [op, ...rest] of steps) {
    const [first = "", session = "", message = ""] = rest.map(String);
    if (op === "close") void rounds.close();
    else if (op === "ended") rounds.leave(sessionOf(first, 0));
    else {
      const value = op === "cover" ? null : messageValue(utf8(message));
      rounds.contribute(sessionOf(session, Number(first)), value, (answer) => {
        answers[session] = parse(answer);
      });
    }
  }
  return answers;
}
