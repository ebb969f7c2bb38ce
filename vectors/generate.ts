import { writeFileSync } from "node:fs";
import { fileOf, regenerate, VECTOR_FILES } from "./regenerate.ts";

// `npm run vectors` writes the files again; with `-- --check` it writes nothing and fails where one would change.
const check = process.argv.includes("--check");
let drifted = 0;
for (const name of VECTOR_FILES) {
  const { stored, made } = regenerate(name);
  if (stored !== made) drifted++;
  if (!check) writeFileSync(fileOf(name), made);
  process.stdout.write(`${name}.json ${stored === made ? "unchanged" : "changed"}\n`);
}
process.exitCode = check && drifted > 0 ? 1 : 0;
