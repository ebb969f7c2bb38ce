import { constants } from "node:fs";
import { access, type FileHandle, link, open, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "@pawl/protocol/driver";
import { StoreError } from "../errors.ts";

const OWNER_ONLY = 0o600;
const GROUP_AND_OTHERS = 0o077;
const OWNER_WRITE = 0o200;

/**
 * Makes sure that the file of a key database is there, this process may write it, and nobody else may read it. SQLite
 * gives the write-ahead log and its index the mode of the database; those that an earlier run left are checked too.
 * @throws StoreError
 */
export async function prepareFile(path: string, create: boolean): Promise<void> {
  if ((await modeOf(path)) === null) {
    if (!create) throw new StoreError(`there is no key database at ${path}; run pawl init, or check --home`);
    await createFile(path);
  }
  for (const file of [path, `${path}-wal`, `${path}-shm`]) checkMode(file, await modeOf(file));
  await checkAccess(path, constants.R_OK | constants.W_OK);
  // The log and its index are made beside it.
  await checkAccess(dirname(path), constants.W_OK | constants.X_OK);
}

/**
 * Makes a new file, mode 0600, durably: `fill` writes the file that it is given, which gets the name when it is whole. What
 * a crash leaves is called `.part`, and is replaced the next time.
 * @throws StoreError where there is one already, and what `fill` throws
 */
export async function makeDurableFile(path: string, fill: (part: string) => Promise<void>): Promise<void> {
  const part = `${path}.part`;
  if (await isThere(path)) throw new StoreError(`${path} is there already; it was not overwritten`);
  try {
    await unlink(part).catch((error: unknown) => {
      if (errorCode(error) !== "ENOENT") throw error;
    });
    const file = await open(part, "wx", OWNER_ONLY);
    try {
      await fill(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await giveName(part, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await unlink(part).catch(() => {});
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${path} cannot be made (${errorCode(cause)}); check its folder`, { cause });
  }
}

/** By a link, which refuses a name that somebody has taken meanwhile; by renaming where the file system has no links. */
async function giveName(part: string, path: string): Promise<void> {
  try {
    await link(part, path);
    await unlink(part);
  } catch (error) {
    if (errorCode(error) === "EEXIST")
      throw new StoreError(`${path} is there already; it was not overwritten`);
    if (await isThere(path)) throw error;
    await rename(part, path);
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await modeOf(path)) !== null;
}

async function createFile(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, "wx", OWNER_ONLY);
  } catch (cause) {
    if (errorCode(cause) === "EEXIST") return;
    throw new StoreError(`cannot make a key database at ${path} (${errorCode(cause)}); check its folder`, {
      cause,
    });
  }
  await file.close();
  // Else a power cut could lose the name of a file whose commits were acknowledged.
  await syncFolder(dirname(path));
}

async function modeOf(path: string): Promise<number | null> {
  try {
    const status = await stat(path);
    if (!status.isFile()) throw new StoreError(`${path} is not a file; name the key database itself`);
    return status.mode;
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    if (errorCode(cause) === "ENOENT") return null;
    throw new StoreError(`cannot look at ${path} (${errorCode(cause)}); check its owner and mode`, { cause });
  }
}

function checkMode(path: string, mode: number | null): void {
  // Windows keeps access lists instead; its mode says nothing.
  if (mode === null || process.platform === "win32") return;
  if ((mode & GROUP_AND_OTHERS) !== 0) {
    throw new StoreError(
      `others may use ${path} (mode ${octal(mode)}), and it holds keys; run chmod 600 on it`,
    );
  }
  if ((mode & OWNER_WRITE) === 0) {
    throw new StoreError(`key database file ${path} is read-only (mode ${octal(mode)}); run chmod 600 on it`);
  }
}

async function checkAccess(path: string, wanted: number): Promise<void> {
  try {
    await access(path, wanted);
  } catch (cause) {
    throw new StoreError(
      `${path} is not writable for this user (${errorCode(cause)}); check its owner and mode`,
      {
        cause,
      },
    );
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
