import { StoreError } from "../errors.ts";

const BUSY = 5;
const PRIMARY_MASK = 0xff;
/** By primary result codes of SQLite, https://sqlite.org/rescode.html. */
const ADVICE: ReadonlyMap<number, string> = new Map([
  [BUSY, "is kept busy by another process; end what holds it open, such as a database shell, and try again"],
  [6, "is locked by this process; that is a fault of Pawl, please report it"],
  [8, "cannot be written; check the owner and mode of the file, its folder and the file system"],
  [10, "had an input or output error; check the disk, then restart"],
  [11, "is damaged; stop every process that uses it and restore a backup"],
  [13, "cannot grow: the disk is full; free some space and restart"],
  [14, "cannot be opened; check that the folder exists and may be written"],
  [23, "may not be used; check the owner and mode of the file and its folder"],
  [26, "is not a database, or its first page is damaged; check the path, or restore a backup"],
]);

/** An error of the driver as a `StoreError` that says what to do. A `StoreError` passes as it is. */
export function toStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const code = primaryCode(error);
  const advice = code === null ? undefined : ADVICE.get(code);
  const text = error instanceof Error ? error.message : String(error);
  return new StoreError(`key database ${path} ${advice ?? "failed"} (${text})`, { cause: error });
}

/** Runs `action`. @throws StoreError in place of what it throws. */
export function withStoreErrors<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/** Whether another connection was in the way of what threw `error`. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY;
}

function primaryCode(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return null;
  return typeof error.errcode === "number" ? error.errcode & PRIMARY_MASK : null;
}
