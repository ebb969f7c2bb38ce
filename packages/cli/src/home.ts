import { userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from "@pawl/server/keys";
import type { Command } from "commander";
import { type DbKeySource, dbKeySource } from "./db-key-source.ts";
import type { Io } from "./io.ts";
import { keyOf, readSettings, SETTINGS, type Settings, variableOf } from "./settings.ts";

/** Where the keys live, and how they are opened. */
export interface Home {
  readonly path: string;
  readonly database: string;
  readonly settings: Settings;
  readonly dbKey: DbKeySource;
  /** @throws StoreError that says what to do */
  openKeys(options?: Partial<SqliteStoreOptions>): Promise<SqliteStore>;
}

/** `--home`, else `PAWL_HOME`, else `./pawl`; with its settings. @throws UsageError, CommandError */
export function homeOf(flags: { readonly home?: string }, io: Io): Home {
  const given = flags.home ?? io.env.PAWL_HOME ?? "pawl";
  const path = isAbsolute(given) ? given : resolve(io.cwd, given);
  const settings = readSettings({ ...flags }, io.env, path);
  const dbKey = dbKeySource(settings, io.env, path);
  const database = join(path, "keys.db");
  return {
    path,
    database,
    settings,
    dbKey,
    openKeys: (options = {}) =>
      openSqliteStore({ path: database, dbKeys: dbKey.load, actor: actor(), ...options }),
  };
}

/** Opens the keys of a home for `use`, and closes them whatever happens. */
export async function withKeys<T>(
  home: Home,
  use: (keys: SqliteStore) => Promise<T>,
  options: Partial<SqliteStoreOptions> = {},
): Promise<T> {
  const keys = await home.openKeys(options);
  try {
    return await use(keys);
  } finally {
    await keys.close();
  }
}

/** The options of every command that opens the keys of a home. */
export function withHome(command: Command): Command {
  command.option("--home <dir>", "the home; without it PAWL_HOME, else ./pawl");
  for (const name of ["dbKeyFile", "dbKeyCommand"] as const) addSetting(command, name);
  return command;
}

export function addSetting(command: Command, name: keyof Settings): void {
  const { value, describe, default: standard } = SETTINGS[name];
  const flag = value === null ? `--${keyOf(name)}` : `--${keyOf(name)} <${value.toLowerCase()}>`;
  const unset = standard === "" ? "" : `, default ${standard}`;
  command.option(flag, `${describe} (${variableOf(name)}${unset})`);
}

/** For the audit log: the user of the system who runs this. */
export function actor(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
