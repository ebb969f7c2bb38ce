import { ATTACKS, type Attack, CLAIMS, type Claim, type ClaimId } from "@pawl/lab";
import { MUTANTS } from "../../test/mutants/mutants.ts";
import type { GeneratedDocument } from "./markers.ts";

/** What docs/SECURITY.md has from the lab: the claims, what each rests on, and the attacks that try to break it. */

function claimsTable(): string {
  const rows = Object.entries(CLAIMS).map(([id, claim]) => claimRow(id as ClaimId, claim));
  return [
    "| claim | promise | rests on | attacks | tested by broken builds that they catch |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
  ].join("\n");
}

function claimRow(id: ClaimId, { promise, section, assumption }: Claim): string[] {
  const attacks = ATTACKS.filter(({ claim }) => claim === id).map(nameOf);
  const mutants = MUTANTS.filter(({ claims }) => claims.includes(id)).map((mutant) => mutant.id);
  return [`\`${id}\``, `${promise} (${section})`, assumption, attacks.join(", "), mutants.join(", ")];
}

const FILES = "../packages/lab/src/attacks";

function nameOf({ id }: Attack): string {
  return `[${id}](${FILES}/${id}.ts)`;
}

function weaknesses(): string {
  return ATTACKS.filter(({ expected }) => expected.classic === "works")
    .map(({ id, title, weakness }) => `- \`${id}\`: ${title}. ${weakness}`)
    .join("\n");
}

export const security: GeneratedDocument = {
  file: new URL("../SECURITY.md", import.meta.url),
  parts: { claims: claimsTable, weaknesses },
};
