import type { ClaimId } from "@pawl/lab";
import type { SuiteName } from "@pawl/protocol";

/** A change of the text of one built file. */
export interface Change {
  /** `protocol/record.js` is `packages/protocol/dist/record.js`. */
  readonly file: `${"protocol" | "client" | "server"}/${string}.js`;
  /** Stands there exactly once; where it does not, the mutant is stale. */
  readonly find: string;
  readonly replace: string;
}

/** A build of the protocol with one mistake in it, as somebody who implements it might make it. */
export interface Mutant {
  readonly id: string;
  /** The mistake, in a sentence. */
  readonly wrong: string;
  /** What it costs: for each, an attack on that claim has to catch the mutant. */
  readonly claims: readonly ClaimId[];
  /** Where it is looked for; strict unless given. */
  readonly suite?: SuiteName;
  readonly changes: readonly Change[];
  /** Attacks that want the machine for themselves (`quiet`), and without which nobody would see the mistake. */
  readonly quiet?: readonly string[];
  /**
   * Why no attacker gains by it: another check stops him later. It is caught all the same, by the class of the error that
   * the victim names, which is another then (verdict `disagrees`).
   */
  readonly backstop?: string;
}
