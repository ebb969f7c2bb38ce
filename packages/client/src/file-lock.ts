import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { open, readFile, rename, stat, unlink } from "node:fs/promises";
import { CredentialLockedError, CredentialStorageError } from "./errors.ts";

interface Owner {
  readonly pid: number;
  /** What tells a process from a later one of the same number; null where the system does not say. */
  readonly started: string | null;
  readonly token: string;
}

/** It becomes part of a file's name. */
const TOKEN = /^[\w-]{1,64}$/;

/** To write an owner's name takes microseconds: a file without one that is older was left by a process that died in it. */
const UNFINISHED_MS = 10_000;

/**
 * A lock file beside `path` against a second process. One left by a process that is gone is taken over, wherever it
 * died, and by one process only.
 * @returns what releases the lock
 * @throws CredentialLockedError, CredentialStorageError
 */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`;
  const own: Owner = { pid: process.pid, started: startOf(process.pid), token: randomUUID() };
  await acquire(lock, own, path);
  return async () => {
    const owner = await readOwner(lock);
    if (owner?.token === own.token) await unlink(lock).catch(() => {});
  };
}

/**
 * Makes `file` with our name in it. One that its owner cannot release any more is replaced under a second lock, whose
 * name says which owner it is that has gone: nobody replaces the lock of another that came meanwhile. The second lock
 * becomes the first by its renaming, so a death at any point leaves a lock that can be taken over in the same way.
 */
async function acquire(file: string, own: Owner, path: string): Promise<void> {
  if (await create(file, own, path)) return;
  const gone = await ownerThatIsGone(file, path);
  const second = `${file}.${gone?.token ?? "unfinished"}`;
  await acquire(second, own, path);
  try {
    const still = await ownerThatIsGone(file, path);
    if (still?.token !== gone?.token) throw lockedBy(path, still);
    await rename(second, file);
  } catch (error) {
    await unlink(second).catch(() => {});
    if (error instanceof CredentialLockedError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new CredentialStorageError(path, `its lock file cannot be replaced: ${message}`, { cause: error });
  }
}

/**
 * Null: it had not yet written its name.
 * @throws CredentialLockedError where it is alive, or just about to write its name
 */
async function ownerThatIsGone(file: string, path: string): Promise<Owner | null> {
  const owner = await readOwner(file);
  if (owner === null ? !(await isOld(file)) : isAlive(owner)) throw lockedBy(path, owner);
  return owner;
}

async function isOld(file: string): Promise<boolean> {
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > UNFINISHED_MS;
}

function lockedBy(path: string, owner: Owner | null): CredentialLockedError {
  const who = owner === null ? "another process" : `process ${owner.pid}`;
  return new CredentialLockedError(path, `in use by ${who}; one credential serves one session at a time`);
}

/** False where the file is there already. */
async function create(file: string, owner: Owner, path: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile(JSON.stringify(owner));
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    await unlink(file).catch(() => {});
    throw new CredentialStorageError(path, `its lock file cannot be made: ${message}`, { cause: error });
  }
}

/** Null where there is none, or none that can be read: an owner that died before it wrote its name. */
async function readOwner(file: string): Promise<Owner | null> {
  try {
    const owner = JSON.parse(await readFile(file, "utf8")) as Partial<Owner>;
    if (typeof owner.pid !== "number" || typeof owner.token !== "string" || !TOKEN.test(owner.token))
      return null;
    return { pid: owner.pid, started: owner.started ?? null, token: owner.token };
  } catch {
    return null;
  }
}

function isAlive({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = startOf(pid);
  return started === null || now === null || started === now;
}

/** The start time of a process, where /proc has it: behind the name, which may contain anything. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
