/** @pawl/lab: the man in the middle, and the attacks. What is not exported here is not public. */
export type { Attack, Case, Expectation, Need } from "./attack.ts";
export { ATTACKS, attackById } from "./attacks/index.ts";
export { CLAIMS, type Claim, type ClaimId } from "./claims.ts";
export * from "./mitm/index.ts";
export {
  type AttackResult,
  type CaseResult,
  DEFAULT_HONEST,
  type LabOptions,
  type LabReport,
  runLab,
} from "./runner.ts";
export { Stage } from "./stage.ts";
export { isGood, type Verdict } from "./verdict.ts";
