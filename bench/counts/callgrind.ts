import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STRICT, STRICT_GCM } from "@pawl/protocol";
import type { Counts } from "./compare.ts";

/**
 * Instructions for each packet that the native record layer seals and opens: a count, so that it is the same on a busy machine. It runs
 * on the system's libcrypto, outside of Node.js.
 */

const NATIVE = new URL("../../packages/protocol/native/", import.meta.url).pathname;
const PROGRAM = new URL("./record.c", import.meta.url).pathname;
const SIZES = [64, 1_024, 16_384];
const PACKETS = 50;
/** libcrypto has code for each kind of processor: here always that for the first x86-64, whatever the machine is. */
const ANY_PROCESSOR = { OPENSSL_ia32cap: "0:0" };

/** The counts, and what made them: another compiler or libcrypto gives others. */
export function instructionCounts(): { counts: Counts; compiler: string; libcrypto: string } {
  const work = mkdtempSync(join(tmpdir(), "pawl-counts-"));
  try {
    const program = join(work, "record");
    // Compiled as the addon is: binding.gyp.
    const flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-Wl,-z,now", `-I${NATIVE}`];
    const sources = [PROGRAM, join(NATIVE, "record.c"), join(NATIVE, "hash.c")];
    execFileSync("cc", [...flags, ...sources, "-l:libcrypto.so.3", "-o", program], { stdio: "inherit" });
    const counts: Record<string, number> = {};
    for (const operation of ["seal", "open"]) {
      for (const suite of [STRICT, STRICT_GCM]) {
        for (const size of SIZES) {
          const args = [operation, String(suite.id), String(size), String(PACKETS)];
          const byObject = instructionsByObject(profileOf(program, args, join(work, "profile")));
          const cell = `${operation}-${suite.name}-${size}`;
          const each = (total: number) => Math.round(total / PACKETS);
          counts[`${cell}: instructions of the record layer`] = each(byObject.get(program) ?? 0);
          // Copies are libc's.
          counts[`${cell}: instructions of libc`] = each(sumOf(byObject, /\/libc\.so/));
          counts[`${cell}: instructions in all`] = each(sumOf(byObject, /./));
        }
      }
    }
    const firstLine = (command: string, ...args: string[]) =>
      execFileSync(command, args, { encoding: "utf8" }).split("\n", 1)[0] ?? "";
    return { counts, compiler: firstLine("cc", "--version"), libcrypto: firstLine(program) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function profileOf(program: string, args: readonly string[], out: string): string {
  const options = ["--quiet", "--tool=callgrind", "--toggle-collect=measured", `--callgrind-out-file=${out}`];
  execFileSync("valgrind", [...options, program, ...args], {
    env: { ...process.env, ...ANY_PROCESSOR },
    stdio: "inherit",
  });
  return readFileSync(out, "utf8");
}

/**
 * Instructions that each object file (program, library) has executed itself, from a profile in callgrind's format: lines of costs belong
 * to the `ob=` before them; the one behind `calls=` repeats what the callee has, and is left out.
 */
export function instructionsByObject(profile: string): Map<string, number> {
  const names = new Map<string, string>();
  const totals = new Map<string, number>();
  let object = "";
  let isOfCallee = false;
  for (const line of profile.split("\n")) {
    const named = /^(c?ob)=(\(\d+\))(?: (.+))?$/.exec(line);
    if (named !== null) {
      const [, key, id = "", name] = named;
      // A name is written where its number comes first.
      if (name !== undefined) names.set(id, name);
      if (key === "ob") object = names.get(id) ?? id;
    } else if (line.startsWith("calls=")) {
      isOfCallee = true;
    } else {
      const cost = /^[-+*\d]\S* (\d+)$/.exec(line)?.[1];
      if (cost === undefined) continue;
      if (!isOfCallee) totals.set(object, (totals.get(object) ?? 0) + Number(cost));
      isOfCallee = false;
    }
  }
  return totals;
}

function sumOf(byObject: ReadonlyMap<string, number>, names: RegExp): number {
  let sum = 0;
  for (const [name, count] of byObject) if (names.test(name)) sum += count;
  return sum;
}
