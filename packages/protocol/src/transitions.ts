import type { ClientEvent, ServerEvent } from "./events.ts";
import type { Opcode } from "./wire.ts";

/**
 * All legal moves: role × state × trigger → handler and the states it may lead to. Nothing else decides what is legal;
 * what is missing here is an UnexpectedOpcodeError when it came as a packet, and an IllegalTransitionError when it came
 * from this side. The diagrams of docs/PROTOCOL.md are made from these tables.
 */

/** What a move starts from: the opcode of a packet, or another event by its type. `packet`: any packet, unread. */
export type ClientTrigger = Opcode | ClientEvent["type"];
export type ServerTrigger = Opcode | ServerEvent["type"];

export interface Move<State extends string, Handler extends string> {
  readonly handler: Handler;
  /** Where it may lead when all goes well. Every move may also end in `ended`, by a violation. */
  readonly next: readonly State[];
  /** Not in classic, which has no TERMINATE. */
  readonly strictOnly: boolean;
}

export interface StateRow<State extends string, Trigger extends string, Handler extends string> {
  /** The driver owes an answer (look-up, derivation, commit): nothing else may come but `abort`. */
  readonly awaits: boolean;
  readonly on: Readonly<Partial<Record<Trigger, Move<State, Handler>>>>;
}

export type Table<State extends string, Trigger extends string, Handler extends string> = Readonly<
  Record<State, StateRow<State, Trigger, Handler>>
>;

function to<State extends string, Handler extends string>(
  handler: Handler,
  ...next: readonly State[]
): Move<State, Handler> {
  return { handler, next, strictOnly: false };
}

function strictly<State extends string, Handler extends string>(
  move: Move<State, Handler>,
): Move<State, Handler> {
  return { ...move, strictOnly: true };
}

/** Handlers that do the same for both roles. */
export type CommonHandler =
  | "peerTerminates"
  | "terminate"
  | "frameError"
  | "endOfStream"
  | "abort"
  | "ignore";

export type ClientState =
  /** Nothing sent yet. */
  | "idle"
  /** HELLO sent. */
  | "wait-challenge"
  /** CHALLENGE verified; the next epoch is being stored. */
  | "committing"
  /** No DATA outstanding. */
  | "ready"
  /** One DATA outstanding. */
  | "wait-aggregate"
  /** This side has sent TERMINATE: what still comes is discarded. */
  | "terminated"
  /** Over: nothing is taken any more, what still comes is discarded. */
  | "ended";

export type ClientHandler = "start" | "challenge" | "committed" | "send" | "aggregate" | CommonHandler;

const clientAlways = { abort: to("abort", "ended") } as const;
const clientReads = {
  "frame-error": to("frameError", "ended"),
  "end-of-stream": to("endOfStream", "ended"),
} as const;

export const CLIENT_TRANSITIONS: Table<ClientState, ClientTrigger, ClientHandler> = {
  idle: {
    awaits: false,
    on: { ...clientAlways, start: to("start", "wait-challenge"), terminate: to("abort", "ended") },
  },
  "wait-challenge": {
    awaits: false,
    on: {
      ...clientAlways,
      ...clientReads,
      CHALLENGE: to("challenge", "committing", "ready"),
      terminate: to("abort", "ended"),
    },
  },
  committing: { awaits: true, on: { ...clientAlways, committed: to("committed", "ready", "ended") } },
  ready: {
    awaits: false,
    on: {
      ...clientAlways,
      ...clientReads,
      send: to("send", "wait-aggregate", "terminated"),
      TERMINATE: strictly(to("peerTerminates", "ended")),
      terminate: to("terminate", "terminated", "ended"),
    },
  },
  "wait-aggregate": {
    awaits: false,
    on: {
      ...clientAlways,
      ...clientReads,
      AGGREGATE: to("aggregate", "ready"),
      TERMINATE: strictly(to("peerTerminates", "ended")),
      terminate: to("terminate", "terminated", "ended"),
    },
  },
  terminated: {
    awaits: false,
    on: {
      ...clientAlways,
      packet: to("ignore", "terminated"),
      "frame-error": to("ignore", "terminated"),
      "end-of-stream": to("ignore", "terminated"),
      terminate: to("ignore", "terminated"),
    },
  },
  ended: {
    awaits: false,
    on: {
      abort: to("ignore", "ended"),
      packet: to("ignore", "ended"),
      "frame-error": to("ignore", "ended"),
      "end-of-stream": to("ignore", "ended"),
      terminate: to("ignore", "ended"),
    },
  },
};

export type ServerState =
  | "wait-hello"
  /** HELLO is held; the record is being read. */
  | "looking-up"
  /** HELLO is held; its epoch is more than 256 ahead. */
  | "deriving"
  /** HELLO was ahead and is authentic; `s → e` is being stored. */
  | "catching-up"
  /** CHALLENGE sent: half-open until the first packet of the session. */
  | "wait-first"
  /** The first packet is verified, but the secret of the next epoch was forgotten: the record is being read. */
  | "re-reading"
  /** The first packet is verified; `e → e+1` is being stored. */
  | "committing"
  /** Live, no DATA to answer. */
  | "ready"
  /** Live, one DATA to answer. */
  | "answering"
  /** This side has sent TERMINATE: what still comes is discarded. */
  | "terminated"
  | "ended";

export type ServerHandler =
  | "hello"
  | "found"
  | "derived"
  | "caughtUp"
  | "firstPacket"
  | "reRead"
  | "accepted"
  | "epochMoved"
  | "expire"
  | "data"
  | "answer"
  | CommonHandler;

const serverAlways = { abort: to("abort", "ended") } as const;
const serverReads = {
  "frame-error": to("frameError", "ended"),
  "end-of-stream": to("endOfStream", "ended"),
} as const;
const serverLive = {
  ...serverAlways,
  ...serverReads,
  TERMINATE: strictly(to("peerTerminates", "ended")),
  terminate: to("terminate", "terminated", "ended"),
} as const;

export const SERVER_TRANSITIONS: Table<ServerState, ServerTrigger, ServerHandler> = {
  "wait-hello": {
    awaits: false,
    on: {
      ...serverAlways,
      ...serverReads,
      HELLO: to("hello", "looking-up"),
      deadline: to("expire", "ended"),
      terminate: to("abort", "ended"),
    },
  },
  "looking-up": {
    awaits: true,
    on: { ...serverAlways, found: to("found", "deriving", "catching-up", "wait-first") },
  },
  deriving: { awaits: true, on: { ...serverAlways, derived: to("derived", "catching-up") } },
  "catching-up": {
    awaits: true,
    on: { ...serverAlways, committed: to("caughtUp", "wait-first", "looking-up", "ended") },
  },
  "wait-first": {
    awaits: false,
    on: {
      ...serverAlways,
      ...serverReads,
      DATA: to("firstPacket", "committing", "re-reading", "answering"),
      TERMINATE: strictly(to("firstPacket", "committing", "re-reading")),
      "epoch-moved": to("epochMoved", "wait-first"),
      deadline: to("expire", "ended"),
      terminate: to("terminate", "terminated", "ended"),
    },
  },
  "re-reading": {
    awaits: true,
    on: { ...serverAlways, found: to("reRead", "committing", "terminated", "ended") },
  },
  committing: {
    awaits: true,
    on: { ...serverAlways, committed: to("accepted", "answering", "terminated", "ended") },
  },
  ready: {
    awaits: false,
    on: {
      ...serverLive,
      DATA: to("data", "answering"),
      deadline: to("ignore", "ready"),
      "epoch-moved": to("ignore", "ready"),
    },
  },
  answering: {
    awaits: false,
    on: {
      ...serverLive,
      answer: to("answer", "ready"),
      deadline: to("ignore", "answering"),
      "epoch-moved": to("ignore", "answering"),
    },
  },
  terminated: {
    awaits: false,
    on: {
      ...serverAlways,
      packet: to("ignore", "terminated"),
      "frame-error": to("ignore", "terminated"),
      "end-of-stream": to("ignore", "terminated"),
      terminate: to("ignore", "terminated"),
      deadline: to("ignore", "terminated"),
      "epoch-moved": to("ignore", "terminated"),
    },
  },
  ended: {
    awaits: false,
    on: {
      abort: to("ignore", "ended"),
      packet: to("ignore", "ended"),
      "frame-error": to("ignore", "ended"),
      "end-of-stream": to("ignore", "ended"),
      terminate: to("ignore", "ended"),
      deadline: to("ignore", "ended"),
      "epoch-moved": to("ignore", "ended"),
    },
  },
};
