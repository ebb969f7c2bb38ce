import type { Application, BenchConnection } from "../targets/target.ts";

/** One figure of the bench, by the name that results carry. */
export interface Cell {
  readonly name: string;
  readonly unit: string;
  /** Whether the better target has more of it or less. */
  readonly better: "more" | "less";
}

/** What is there before anything is measured. Measurements with the same needs, one after the other, share it. */
export interface Setting {
  /** Whether it needs processes that have done nothing before. */
  readonly fresh: boolean;
  readonly application: Application;
  /** Whether the server keeps on a disk what has to survive it. */
  readonly durable: boolean;
  /** Clients that the server knows; so many connections can be opened in all. */
  readonly clients: number;
  /** How many of them are connected from the start. */
  readonly connected: number;
}

/** How long a sample takes, or how much. */
export interface Effort {
  /** Of measuring by the clock, milliseconds. */
  readonly ms: number;
  /** Connections that are opened and left alone. */
  readonly idle: number;
}

/** How much is measured in all. */
export interface Plan {
  readonly repetitions: number;
  readonly sample: Effort;
  readonly warmUp: Effort;
}

export interface PlanOptions {
  readonly repetitions: number;
  /** Of each sample, milliseconds. */
  readonly ms: number;
  /** Of each warm-up, milliseconds; a quarter of a sample unless given. */
  readonly warmUpMs?: number;
  /** Connections of each sample. Memory grows most with the first ones, so there are as many before those that count. */
  readonly idle: number;
}

export function planOf({ repetitions, ms, warmUpMs = ms / 4, idle }: PlanOptions): Plan {
  return { repetitions, sample: { ms, idle }, warmUp: { ms: warmUpMs, idle } };
}

/** Of what is done many thousand times a second: V8 compiles only what it has seen often, and the last of it again and again. */
export const STEADY_WARM_UPS = 4;

/** The clients' side of a setting. */
export interface Clients {
  readonly connected: readonly BenchConnection[];
  /** Connects one more. */
  dial(): Promise<BenchConnection>;
}

/** What a sample cost both processes. */
export interface Usage {
  /** Processor time of server and clients together, µs. */
  readonly processorMicros: number;
  /** By how much the server's resident memory has grown, bytes, garbage collected before and after. */
  readonly residentBytes: number;
}

/**
 * Something to do with a target, and the cells that come of it. A new one is one file, and a line in `index.ts`.
 * `Outcome` goes from the clients' process to that of the bench, as JSON.
 */
export interface Measurement<Outcome extends object = object> {
  readonly name: string;
  readonly cells: readonly Cell[];
  /** Whether garbage is collected before memory is read. */
  readonly ofMemory?: boolean;
  /** How often the plan's warm-up is done; once unless given. */
  readonly warmUps?: number;
  setting(plan: Plan): Setting;
  /** One sample, in the clients' process. Every answer is checked, so that a broken peer cannot look fast. @throws WrongAnswerError */
  work(clients: Clients, effort: Effort): Promise<Outcome>;
  /** One figure a cell, in their order. */
  figures(outcome: Outcome, usage: Usage): readonly number[];
}

export class WrongAnswerError extends Error {
  override readonly name = "WrongAnswerError";
  constructor() {
    super("the answer is not the one that was due");
  }
}
