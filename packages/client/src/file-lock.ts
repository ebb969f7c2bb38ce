import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { open, readFile, stat, unlink } from "node:fs/promises";
import { CredentialLockedError, CredentialStorageError } from "./errors.ts";

interface Owner {
  readonly pid: number;
  /** What tells a process from a later one of the same number; null where the system does not say. */
  readonly started: string | null;
  readonly token: string;
}

/** To write an owner's name, or to take over, takes microseconds: what is older was left by a process that died in it. */
const UNFINISHED_MS = 10_000;

/**
 * A lock file beside `path` against a second process. One left by a process that is gone is taken over; two that race
 * for it cannot both win, since only the holder of a second, short-lived file removes a stale lock.
 * @returns what releases the lock
 * @throws CredentialLockedError, CredentialStorageError
 */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`;
  const own: Owner = { pid: process.pid, started: startOf(process.pid), token: randomUUID() };
  if (!(await create(lock, own, path))) {
    await takeOver(lock, own, path);
  }
  return async () => {
    const owner = await readOwner(lock);
    if (owner?.token === own.token) await unlink(lock).catch(() => {});
  };
}

async function takeOver(lock: string, own: Owner, path: string): Promise<void> {
  await refuseIfHeld(lock, path);
  const takeover = `${lock}.takeover`;
  if (!(await create(takeover, own, path))) {
    if (await isOld(takeover)) {
      throw new CredentialLockedError(
        path,
        `a process died while it took over the lock; remove ${takeover} and ${lock}`,
      );
    }
    throw new CredentialLockedError(path, "another process takes over its lock at this moment; try again");
  }
  try {
    await refuseIfHeld(lock, path);
    await unlink(lock).catch(() => {});
    if (!(await create(lock, own, path))) {
      throw lockedBy(path, await readOwner(lock));
    }
  } finally {
    await unlink(takeover).catch(() => {});
  }
}

/** An owner that is alive, or one that is just about to write its name. @throws CredentialLockedError */
async function refuseIfHeld(lock: string, path: string): Promise<void> {
  const owner = await readOwner(lock);
  if (owner === null ? !(await isOld(lock)) : isAlive(owner)) throw lockedBy(path, owner);
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
    if (typeof owner.pid !== "number" || typeof owner.token !== "string") return null;
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
