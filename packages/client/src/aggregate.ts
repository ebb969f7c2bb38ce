import { ReplyFormatError } from "./errors.ts";

/** The answer of a round (section 5). */
export interface Aggregate {
  /** The server's own count. */
  readonly round: number;
  /** The client's own value as a plain decimal; null for a cover. */
  readonly value: string | null;
  /** The product over all who contributed; null where it is too long to be sent. */
  readonly aggregate: string | null;
  readonly overflow: boolean;
  readonly contributors: number;
  /** What else the operator reports, by name. */
  readonly also: Readonly<Record<string, string | null>>;
}

/** @throws ReplyFormatError where the answer is not that of a round */
export function parseAggregate(message: Uint8Array): Aggregate {
  const fail = (what: string): never => {
    throw new ReplyFormatError(
      `the server's answer is not that of a round: ${what}; use request() for other applications`,
    );
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(message));
  } catch {
    return fail("no JSON");
  }
  if (typeof parsed !== "object" || parsed === null) return fail("no object");
  const { round, value, aggregate, overflow, contributors, also } = parsed as Record<string, unknown>;
  const isText = (x: unknown): x is string | null => x === null || typeof x === "string";
  const isCount = (x: unknown): x is number => typeof x === "number" && Number.isInteger(x) && x >= 0;
  if (!isCount(round) || !isCount(contributors)) return fail("round or contributors");
  if (!isText(value) || !isText(aggregate)) return fail("value or aggregate");
  return {
    round,
    value,
    aggregate,
    overflow: overflow === true,
    contributors,
    also: typeof also === "object" && also !== null ? (also as Record<string, string | null>) : {},
  };
}
