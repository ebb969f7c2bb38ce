import { constants } from "node:fs";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { wipe } from "@pawl/protocol";
import { type Random, syncFolder, systemRandom } from "@pawl/protocol/driver";
import { StoreError } from "./errors.ts";
import { DB_KEY_BYTES } from "./wrapping.ts";

/**
 * Db keys as text: one key, or several while the database moves from one to the next, separated by white space or commas.
 * A key is 32 random bytes in base64, base64url or hexadecimal, so what `openssl rand` and secret managers print will do.
 */

/** @throws StoreError, which never quotes the text */
export function parseDbKeys(text: string, where: string): Uint8Array[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  if (words.length === 0) throw new StoreError(`${where}: no db key in it`);
  return words.map((word, index) => {
    const key = parseDbKey(word);
    if (key !== null) return key;
    throw new StoreError(
      `${where}: key ${index + 1} is no db key: expected ${DB_KEY_BYTES} bytes in base64 or hexadecimal, such as openssl rand -base64 32 prints`,
    );
  });
}

export function formatDbKeys(keys: readonly Uint8Array[]): string {
  return keys.map((key) => `${Buffer.from(key).toString("base64url")}\n`).join("");
}

export function createDbKey(random: Random = systemRandom): Uint8Array {
  return random(DB_KEY_BYTES);
}

/** @throws StoreError: missing, readable by others, no key */
export async function readDbKeyFile(path: string): Promise<Uint8Array[]> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "there is no such file; put the db key back" : message;
    throw new StoreError(`db key ${path}: ${what}`, { cause });
  }
  try {
    const { mode } = await handle.stat();
    // Windows keeps access lists instead; its mode says nothing.
    if ((mode & 0o077) !== 0 && process.platform !== "win32") {
      throw new StoreError(
        `db key ${path}: others may read it (mode ${(mode & 0o777).toString(8)}); chmod 600 it, and think of it as known to them: pawl keys rewrap`,
      );
    }
    const bytes = await handle.readFile();
    const keys = parseDbKeys(bytes.toString("latin1"), `db key ${path}`);
    bytes.fill(0);
    return keys;
  } finally {
    await handle.close();
  }
}

/**
 * Writes the file anew, mode 0600, in one step: temporary file, fsync, rename, fsync of the folder.
 * @param options `exclusive`: refuses where there is a file already
 * @throws StoreError
 */
export async function writeDbKeyFile(
  path: string,
  keys: readonly Uint8Array[],
  { exclusive = false }: { exclusive?: boolean } = {},
): Promise<void> {
  const temporary = exclusive ? path : `${path}.tmp`;
  const bytes = Buffer.from(formatDbKeys(keys));
  try {
    const handle = await open(temporary, exclusive ? "wx" : "w", 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
    if (!exclusive) await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = code === "EEXIST" ? "is there already; it was not overwritten" : message;
    throw new StoreError(`db key ${path}: ${what}`, { cause });
  } finally {
    wipe(bytes);
  }
}

const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;
const HEX = /^[0-9a-fA-F]{64}$/;

function parseDbKey(word: string): Uint8Array | null {
  const encoding = HEX.test(word) ? "hex" : BASE64.test(word) ? "base64" : null;
  return encoding === null ? null : new Uint8Array(Buffer.from(word, encoding));
}
