import { utf8 } from "@pawl/protocol";
import { type Decimal, format } from "./decimal.ts";
import { REDUCERS, type ReducerName } from "./reducers.ts";

/** What a closed round has to say, made once for all who were in it. */
export interface Aggregate {
  readonly round: number;
  /** The product in plain form; null where it is over 100,000 digits. */
  readonly product: string | null;
  /** The other reductions that the operator chose, in plain form. */
  readonly also: Readonly<Record<string, string | null>>;
  readonly contributors: number;
}

export function aggregateOf(
  round: number,
  values: readonly Decimal[],
  reducers: readonly ReducerName[],
): Aggregate {
  const reduced = (name: ReducerName) => {
    const result = REDUCERS[name](values);
    return result === null ? null : format(result);
  };
  const others = reducers.filter((name) => name !== "product");
  return {
    round,
    product: reduced("product"),
    also: Object.fromEntries(others.map((name) => [name, reduced(name)])),
    contributors: values.length,
  };
}

/** Writes the AGGREGATE messages of one round (section 5): what all share is serialised once. */
export class AggregateWriter {
  readonly #aggregate: Aggregate;
  readonly #maxMessage: number;
  readonly #tail: Uint8Array;
  readonly #overflowTail: Uint8Array;

  /** @param maxMessage bytes; what does not fit is sent in the overflow form */
  constructor(aggregate: Aggregate, maxMessage: number) {
    this.#aggregate = aggregate;
    this.#maxMessage = maxMessage;
    const { product, contributors, also } = aggregate;
    this.#overflowTail = utf8(`,"aggregate":null,"overflow":true,"contributors":${contributors}}`);
    const others = Object.keys(also).length === 0 ? "" : `,"also":${JSON.stringify(also)}`;
    const result = product === null ? `null,"overflow":true` : `"${product}"`;
    this.#tail = utf8(`,"aggregate":${result},"contributors":${contributors}${others}}`);
  }

  /** @param value the client's own, null for a cover */
  write(value: Decimal | null): Uint8Array {
    const own = value === null ? "null" : `"${format(value)}"`;
    const head = utf8(`{"round":${this.#aggregate.round},"value":${own}`);
    const tail = head.length + this.#tail.length <= this.#maxMessage ? this.#tail : this.#overflowTail;
    const message = new Uint8Array(head.length + tail.length);
    message.set(head);
    message.set(tail, head.length);
    return message;
  }
}
