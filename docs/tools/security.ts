import { ATTACKS, type Attack, CLAIMS, type Claim, type ClaimId } from "@pawl/lab";
import type { GeneratedDocument } from "./markers.ts";

/** What docs/SECURITY.md has from the lab: the claims, what each rests on, and the attacks that try to break it. */

function claimsTable(): string {
  const rows = Object.entries(CLAIMS).map(([id, claim]) => claimRow(id as ClaimId, claim));
  return [
    "| claim | promise | rests on | attacks |",
    "| --- | --- | --- | --- |",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
  ].join("\n");
}

function claimRow(id: ClaimId, { promise, section, assumption }: Claim): string[] {
  const attacks = ATTACKS.filter(({ claim }) => claim === id).map(nameOf);
  return [`\`${id}\``, `${promise} (${section})`, assumption, attacks.join(", ")];
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
