import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** What drives fault.c: see there what it counts and what it does. */

/** A kind of call, as fault.c names it, on a class of target. */
export interface CallPoint {
  /** "socket", or the name of one of the files that it was told of. */
  readonly target: string;
  readonly call: "open" | "write" | "sync" | "truncate" | "rename" | "link" | "unlink";
  /** From 1, of this call on this target in one process. */
  readonly nth: number;
}

export type Strike = "kill-before" | "kill-after" | "kill-torn" | "EIO" | "ENOSPC" | "EROFS";

export interface InjectorOptions {
  /** Name of the target → absolute path. */
  readonly files: Readonly<Record<string, string>>;
  /** A file that gets a line for each call. */
  readonly trace?: string;
  readonly strike?: {
    /** "*" for any file. */
    readonly target: string;
    readonly call: string;
    readonly nth: number;
    readonly what: Strike;
  };
  /** A file that appears when it struck. */
  readonly fired?: string;
  /** Calls fail as long as this file is there, whatever their nth. */
  readonly gate?: string;
}

const SOURCE = fileURLToPath(new URL("./fault.c", import.meta.url));

/** The library in `folder`, compiled; null where there is nothing to compile or preload it with. */
export async function compileInjector(folder: string): Promise<string | null> {
  if (process.platform !== "linux") return null;
  const library = join(folder, "fault.so");
  const flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"];
  try {
    await promisify(execFile)("cc", [...flags, "-o", library, SOURCE]);
    return library;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** The environment that loads the library into a process. */
export function injectorEnv(library: string, options: InjectorOptions): Record<string, string> {
  const { files, trace, strike, fired, gate } = options;
  const named = Object.entries(files).map(([name, path]) => `${name}=${path}`);
  return {
    LD_PRELOAD: library,
    // What goes through a ring of the kernel would pass unseen.
    UV_USE_IO_URING: "0",
    PAWL_FAULT_FILES: named.join(":"),
    ...(trace === undefined ? {} : { PAWL_FAULT_TRACE: trace }),
    ...(strike === undefined
      ? {}
      : { PAWL_FAULT: `${strike.target} ${strike.call} ${strike.nth} ${strike.what}` }),
    ...(fired === undefined ? {} : { PAWL_FAULT_FIRED: fired }),
    ...(gate === undefined ? {} : { PAWL_FAULT_GATE: gate }),
  };
}

export async function readTrace(path: string): Promise<CallPoint[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [target = "", call = "", nth = ""] = line.split(" ");
    // fault.c writes no other names.
    return { target, call: call as CallPoint["call"], nth: Number(nth) };
  });
}
