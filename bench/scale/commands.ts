import type { ProcessUsage } from "@pawl/bench/inside";

/** What is asked of the server's process. */
export type ServerCommand =
  | {
      readonly type: "serve";
      /** Of its key database. */
      readonly folder: string;
      /** Processes that serve: with more than one, workers of the process that is asked. */
      readonly workers: number;
      /** How many of the clients enrolled are for `rehearsal`, and how many for `stage`; their ids follow each other. */
      readonly clients: Readonly<Record<ServerName, number>>;
    }
  /** Answered when so many more clients are live than at the last answer. */
  | { readonly type: "arrivals"; readonly server: ServerName; readonly clients: number }
  | { readonly type: "usage"; readonly collect: boolean }
  /** Ends the server, and its workers. */
  | { readonly type: "close" };

/**
 * At `rehearsal` what is paid once is paid, so that at `stage` only clients cost something. They are two servers of one process,
 * since a round waits for everybody on its server; with workers they are one.
 */
export type ServerName = "rehearsal" | "stage";

export interface ServerAnswers {
  readonly serve: { readonly ports: Readonly<Record<ServerName, number>>; readonly crypto: string };
  readonly arrivals: Arrivals;
  readonly usage: ProcessUsage;
  readonly close: object;
}

/** From the first connection that was accepted until the last client was live. */
export interface Arrivals {
  readonly seconds: number;
}

/** What is asked of the clients' process. */
export type ClientsCommand =
  /** Answered when all have shaken hands and sent a first message, which has no answer before all are there. */
  | {
      readonly type: "connect";
      readonly server: ServerName;
      readonly port: number;
      readonly firstId: number;
      readonly clients: number;
    }
  /** Answered after a round of all. */
  | { readonly type: "gather"; readonly server: ServerName }
  | { readonly type: "rounds"; readonly server: ServerName; readonly ms: number }
  /** Answered when their connections are closed. */
  | { readonly type: "leave"; readonly server: ServerName };

export interface ClientsAnswers {
  readonly connect: object;
  readonly gather: object;
  readonly rounds: RoundsSpan;
  readonly leave: object;
}

export interface RoundsSpan {
  readonly seconds: number;
  /** Of each round, from the first number sent until the last answer is checked, ms. */
  readonly roundMs: readonly number[];
}
