import type { ClientId, Epoch } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import type { Decimal } from "./decimal.ts";
import type { ClosedRound } from "./rounds.ts";

/** A live session, as rounds see it. The same session is the same object. */
export interface RoundSession {
  /** Of all sessions that meet in these rounds, no other has it. */
  readonly id: number;
  readonly clientId: ClientId;
  readonly epoch: Epoch;
  /** Of its client's record. */
  readonly generation: bigint | null;
}

/**
 * Whether one session of a client is known to be older than another one. What two processes say of them may arrive in
 * another order than it happened.
 */
export function isOlder(one: RoundSession, other: RoundSession): boolean {
  return one.generation === other.generation && one.epoch < other.epoch;
}

/**
 * Where the sessions of a server meet in rounds (section 5.3): in its own process (`LocalRounds`), in the primary process
 * of several workers (`LinkedRounds`), or wherever else. Nothing here waits: what a round has to say comes when it has
 * closed. What every backend has to do is in `testing/conformance.ts`.
 */
export interface RoundsBackend {
  /** A session became live: rounds wait for it from now on. Comes before the end of the one that it supersedes. */
  join(session: RoundSession): void;
  /**
   * One DATA of a session that joined. A session sends its next one when it has its answer.
   * @param value null for a cover
   * @param answer called once, with AGGREGATE's message, unless the session leaves before
   */
  contribute(session: RoundSession, value: Decimal | null, answer: RoundAnswer): void;
  /** A session ended, in whatever way: no round waits for it, and what it contributed counts. */
  leave(session: RoundSession): void;
  /** Closes the open round now. Resolves when all that was contributed before is answered. */
  close(): Promise<void>;
}

export type RoundAnswer = (message: Uint8Array) => void;

/** What a server gives to its backend. */
export interface RoundsContext {
  /** Of AGGREGATE, in bytes; what does not fit is sent in the overflow form. */
  readonly maxMessage: number;
  readonly clock: Clock;
  /** To be told of each round that closes here, before anybody is answered. */
  readonly onRound: (round: ClosedRound) => void;
}

/** Makes the rounds of a server. Another backend is a file with one of these, for `roundsBackend` of `createServer`. */
export type RoundsBackendFactory = (context: RoundsContext) => RoundsBackend;
