import type { SuiteName } from "@pawl/protocol";
import type { ClaimId } from "./claims.ts";
import type { Recording } from "./mitm/index.ts";
import type { Stage } from "./stage.ts";

/** Whether the attacker is to get what the claim denies him. `n/a`: the suite has nothing that it could be tried on. */
export type Expectation = "fails" | "works" | "n/a";

/** What an attack takes that not every place where it could be run has. */
export type Need =
  /** The server's key database, its events, or a server of its own: not against a server that is somebody else's. */
  | "own-server"
  /** Two clients. */
  | "second-client"
  /** The machine for itself: it measures times. */
  | "quiet";

/**
 * An attack: one file in `attacks/`, one claim. `run` carries it out, case by case, and each case says what was seen
 * from outside. How to write one: docs/LAB.md.
 */
export interface Attack {
  /** What the command line calls it: `replay-data`. */
  readonly id: string;
  /** The claim that it tries to break. */
  readonly claim: ClaimId;
  readonly title: string;
  /** Who the attacker is and what he can do, in a sentence. */
  readonly adversary: string;
  readonly steps: readonly string[];
  readonly expected: Readonly<Record<SuiteName, Expectation>>;
  /** Why it works where it is expected to. */
  readonly weakness?: string;
  readonly needs?: readonly Need[];
  run(stage: Stage): AsyncGenerator<Case, void>;
}

/** One try of an attack. */
export interface Case {
  /** Within the attack: `tag, bit 7 of byte 12`. Empty where there is only one. */
  readonly name: string;
  /** What the attacker did. */
  readonly did: string;
  /** What was seen from outside. */
  readonly happened: string;
  /** The attacker got what the claim denies him. */
  readonly worked: boolean;
  /** In place of the attack's own expectation: a case that no claim denies, or that only this suite denies. */
  readonly expected?: Exclude<Expectation, "n/a">;
  /** The class of the error that the victim names: in its server's event, or thrown at its client. */
  readonly refusedBy: string | null;
  /** The classes that PROTOCOL.md allows; null: no error is due. Nobody names one of a server that is not ours. */
  readonly due: readonly string[] | null;
  /** Figures, where it measured some. */
  readonly figures?: Readonly<Record<string, number>>;
  readonly recording: Recording | null;
}
