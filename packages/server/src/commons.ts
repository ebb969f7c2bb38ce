import type { ClientId, Epoch, TerminateReason } from "@pawl/protocol";

/** A connection, as those see it who keep order among all of them. */
export interface Member {
  /** Counts the connections of the server. */
  readonly id: number;
  readonly remoteAddress: string;
  /** Whom a limit for each address counts. */
  readonly limitKey: string;
  /** The process that has it, from 1; null where the server has but one. */
  readonly worker: number | null;
  terminate(reason: TerminateReason): void;
  /** The client's stored epoch has moved past this half-open session's. */
  epochMoved(): void;
  /** Drops it at once, in silence. */
  abort(): void;
}

/** A HELLO that a server has to decide on. */
export interface HelloClaim {
  readonly clientId: ClientId;
  readonly epoch: Epoch;
  /** Its suite seals with GCM, which may be done so many times under one key (section 4.3). */
  readonly gcm: boolean;
}

/** What there is to say of its client. */
export interface Standing {
  /** It has a live session. */
  readonly live: boolean;
  /** One more client may become live, or this one is. */
  readonly room: boolean;
  /** So many were answered at this epoch that one more has to wait. */
  readonly spent: boolean;
}

/** Who a connection's client is, from CHALLENGE on. */
export interface Greeting extends HelloClaim {
  /** Of the record that HELLO was verified against; null where it has none. */
  readonly generation: bigint | null;
}

/**
 * What all connections of a server have in common, in whatever process they are: how many there may be, for an address and
 * in all, and that a client has one live session. A server by itself keeps it in memory (`OwnCommons`); a worker tells its
 * primary (`LinkedCommons`).
 */
export interface Commons {
  /** Asked for every HELLO, those of unknown clients too: they must not be told apart by the time that it takes. */
  standing(hello: HelloClaim): Standing | Promise<Standing>;
  /** A HELLO has cost as much as so many handshakes more. */
  charge(limitKey: string, handshakes: number): void;
  /** How many bytes a half-open connection has buffered now. */
  buffers(member: Member, bytes: number): void;
  /** CHALLENGE is on its way: the connection has a client from here on. */
  greeted(member: Member, greeting: Greeting): void;
  /** The client has proved that it is there; it was greeted before. */
  becameLive(member: Member): void;
  ended(member: Member): void;
}
