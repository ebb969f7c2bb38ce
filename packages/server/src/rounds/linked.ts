import type { ClientId, Epoch } from "@pawl/protocol";
import { type Aggregate, AggregateWriter } from "./aggregate.ts";
import type { RoundAnswer, RoundSession, RoundsBackend } from "./backend.ts";
import type { Decimal } from "./decimal.ts";

/** A decimal as JSON has it: coefficient, exponent. */
export type DecimalText = readonly [string, number];

/** 64 bits as JSON has them: hexadecimal digits. */
export type GenerationText = string;

export function generationText(generation: bigint | null): GenerationText | null {
  return generation === null ? null : generation.toString(16);
}

export function generationOf(text: GenerationText | null): bigint | null {
  return text === null ? null : BigInt(`0x${text}`);
}

/** What a server tells those who have its rounds; arrives in order. */
export type RoundsRequest =
  | {
      readonly type: "join";
      readonly session: number;
      readonly clientId: ClientId;
      readonly epoch: Epoch;
      readonly generation: GenerationText | null;
    }
  /** Null: a cover. */
  | { readonly type: "contribute"; readonly session: number; readonly value: DecimalText | null }
  | { readonly type: "leave"; readonly session: number }
  | { readonly type: "close-rounds" };

/** What comes back; arrives in order. */
export type RoundsReply =
  /** All that this server has contributed up to its `upTo`th contribution is to be answered. */
  | { readonly type: "round-closed"; readonly upTo: number; readonly aggregate: Aggregate }
  | { readonly type: "rounds-closed" };

interface Pending {
  /** Counts the contributions of this server. */
  readonly sequence: number;
  readonly value: Decimal | null;
  readonly answer: RoundAnswer;
}

/**
 * Rounds that take place in another process, whose side of it is a `RoundsSeat`. A round costs one reply, however many of
 * this server's clients were in it; their messages are written here.
 */
export class LinkedRounds implements RoundsBackend {
  readonly #maxMessage: number;
  readonly #send: (request: RoundsRequest) => void;
  /** In the order of their sequence. */
  readonly #pending = new Map<RoundSession, Pending>();
  readonly #closing: (() => void)[] = [];
  #sent = 0;

  constructor(maxMessage: number, send: (request: RoundsRequest) => void) {
    this.#maxMessage = maxMessage;
    this.#send = send;
  }

  join({ id, clientId, epoch, generation }: RoundSession): void {
    this.#send({ type: "join", session: id, clientId, epoch, generation: generationText(generation) });
  }

  contribute(session: RoundSession, value: Decimal | null, answer: RoundAnswer): void {
    this.#pending.set(session, { sequence: ++this.#sent, value, answer });
    const text: DecimalText | null = value === null ? null : [value.coefficient.toString(), value.exponent];
    this.#send({ type: "contribute", session: session.id, value: text });
  }

  leave(session: RoundSession): void {
    this.#pending.delete(session);
    this.#send({ type: "leave", session: session.id });
  }

  close(): Promise<void> {
    this.#send({ type: "close-rounds" });
    return new Promise((resolve) => this.#closing.push(resolve));
  }

  receive(reply: RoundsReply): void {
    if (reply.type === "rounds-closed") {
      this.#closing.shift()?.();
      return;
    }
    const writer = new AggregateWriter(reply.aggregate, this.#maxMessage);
    for (const [session, { sequence, value, answer }] of this.#pending) {
      // What an answer made its client send is behind them already.
      if (sequence > reply.upTo) break;
      this.#pending.delete(session);
      answer(writer.write(value));
    }
  }
}
