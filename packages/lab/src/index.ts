/** @pawl/lab: the man in the middle, and the attacks. What is not exported here is not public. */
export type { Attack, Case, Expectation, Need } from "./attack.ts";
export { ATTACKS, attackById } from "./attacks/index.ts";
export { CLAIMS, type Claim, type ClaimId } from "./claims.ts";
export * from "./mitm/index.ts";
export * from "./pcap/index.ts";
export { type ReportOptions, renderReport } from "./report/index.ts";
export type { AttackResult, CaseResult, RunOptions } from "./run-attack.ts";
export {
  type CatalogueOptions,
  DEFAULT_HONEST,
  type LabOptions,
  type LabReport,
  runLab,
  runLabOn,
} from "./runner.ts";
export { Stage } from "./stage.ts";
export { resolveTarget, type Target } from "./target.ts";
export { isGood, type Verdict } from "./verdict.ts";
