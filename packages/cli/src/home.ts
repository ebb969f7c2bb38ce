import { isAbsolute, join, resolve } from "node:path";
import { openSqliteStore, type SqliteStore } from "@pawl/server/keys";
import type { Io } from "./io.ts";

/** `--home`, else `PAWL_HOME`, else `./pawl`. */
export function homeOf(flag: string | undefined, io: Io): string {
  const home = flag ?? io.env.PAWL_HOME ?? "pawl";
  return isAbsolute(home) ? home : resolve(io.cwd, home);
}

/** @throws StoreError that says what to do */
export function openKeys(home: string, create = false): Promise<SqliteStore> {
  return openSqliteStore({ path: join(home, "keys.db"), create });
}
