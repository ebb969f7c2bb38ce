import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { flagsOf } from "./command-line.ts";
import { instructionCounts } from "./counts/callgrind.ts";
import { type Counts, compare } from "./counts/compare.ts";
import { roundTripCounts } from "./counts/round-trip.ts";

/**
 * Whether a packet or a round trip has become dearer, told by what a busy machine does not change: instructions, system calls, bytes
 * allocated. Times are for the other benches.
 */

const USAGE =
  "usage: npm run bench:counts -- [--update] [--json]\n\nNeeds cc, valgrind and strace. Exits with 1 where more is counted than stored; --update stores what is counted; --json prints it\n";
const options = flagsOf(USAGE, {
  update: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean" },
});

interface Stored {
  /** What figures depend on. */
  readonly with: { readonly node: string; readonly compiler: string; readonly libcrypto: string };
  readonly counts: Counts;
}

const FILE = new URL("./counts/stored.json", import.meta.url);
const fail = (line: string): never => {
  process.stderr.write(`counts: ${line}\n`);
  process.exit(1);
};

if (process.platform !== "linux" || process.arch !== "x64") {
  fail(`figures are stored for Linux on x64, not ${process.platform} on ${process.arch}`);
}
for (const tool of ["cc", "valgrind", "strace"]) {
  if (spawnSync(tool, ["--version"]).error !== undefined)
    fail(`${tool} is missing; install it and try again`);
}
const { counts: instructions, ...tools } = instructionCounts();
const now: Stored = {
  with: { node: process.versions.node, ...tools },
  counts: { ...instructions, ...(await roundTripCounts()) },
};
if (options.json === true) process.stdout.write(`${JSON.stringify(now.counts, null, 1)}\n`);
if (options.update === true) {
  writeFileSync(FILE, `${JSON.stringify(now, null, 2)}\n`);
  process.stdout.write(`${Object.keys(now.counts).length} figures stored\n`);
} else {
  const stored = JSON.parse(readFileSync(FILE, "utf8")) as Stored;
  const { failures, better } = compare(stored.counts, now.counts);
  for (const line of better) process.stderr.write(`less than stored: ${line}\n`);
  for (const line of failures) process.stderr.write(`${line}\n`);
  if (failures.length > 0) {
    for (const [tool, version] of Object.entries(now.with)) {
      const before = stored.with[tool as keyof Stored["with"]];
      if (before !== version)
        process.stderr.write(`stored with ${tool} ${before}, counted with ${version}\n`);
    }
    fail("where that is meant, or due to another tool, npm run bench:counts -- --update stores it");
  }
  if (options.json !== true) {
    process.stdout.write(`${Object.keys(now.counts).length} figures as stored, or less\n`);
  }
}
