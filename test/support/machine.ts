import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync, statfsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What this machine has and this process may do, for tests that cannot do without. */

/** A compiler, and a system that preloads what it makes. */
export const hasCompiler = process.platform === "linux" && succeeds("cc", "--version");

/** Wireshark's dissectors on the command line. */
export const hasTshark = succeeds("tshark", "--version");

/** Whether it may mount: root in a container of its own, mostly. */
export const mayMount = process.platform === "linux" && tryToMount();

/** A small disk of memory at `folder`, which is there. Returns what takes it away. */
export function mountSmallDisk(folder: string, kibibytes: number): () => void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k,mode=0700`, "tmpfs", folder], {
    stdio: "pipe",
  });
  return () => void execFileSync("umount", ["--lazy", folder], { stdio: "pipe" });
}

export function remountReadOnly(folder: string): void {
  execFileSync("mount", ["-o", "remount,ro", folder], { stdio: "pipe" });
}

/** Takes the room that is left on the disk of `folder`, but for so many blocks. Returns what gives it back. */
export async function fillDisk(folder: string, butBlocks = 0): Promise<() => Promise<void>> {
  const filler = join(folder, "filler");
  const { bavail, bsize } = statfsSync(folder);
  await writeFile(filler, Buffer.alloc((bavail - butBlocks) * bsize));
  return () => rm(filler);
}

function tryToMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "pawl-mount-"));
  try {
    mountSmallDisk(folder, 64)();
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}

function succeeds(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
