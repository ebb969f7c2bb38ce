import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_WINDOW } from "@pawl/protocol";
import { systemClock } from "@pawl/protocol/driver";
import type { StoreUnderTest } from "../../testing/conformance.ts";
import { type Database, loadDriver } from "../driver.ts";
import { openSqliteStore } from "../store.ts";

export interface Folder {
  /** Of a key database that is not there yet. */
  readonly path: string;
  readonly cleanup: () => Promise<void>;
}

export async function newFolder(): Promise<Folder> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-keys-"));
  return { path: join(folder, "keys.db"), cleanup: () => rm(folder, { recursive: true, force: true }) };
}

/** A connection beside the store's, as another program would have it. */
export async function rawConnection(path: string): Promise<Database> {
  const { DatabaseSync } = await loadDriver();
  return new DatabaseSync(path);
}

export async function sqliteStoreUnderTest(): Promise<StoreUnderTest> {
  const folder = await newFolder();
  let now = 0;
  const clock = { ...systemClock, now: () => now };
  const store = await openSqliteStore({ path: folder.path, create: true, clock });
  const opened = [store];
  return {
    store,
    setNow: (ms) => {
      now = ms;
    },
    setWindow: async (id, window) => {
      const db = await rawConnection(folder.path);
      db.prepare("UPDATE clients SET hello_window = ? WHERE client_id = ? AND hello_window = ?").run(
        window,
        id,
        DEFAULT_WINDOW,
      );
      db.close();
    },
    reopen: async () => {
      await store.close();
      const again = await openSqliteStore({ path: folder.path, clock });
      opened.push(again);
      return again;
    },
    cleanup: async () => {
      for (const one of opened) await one.close();
      await folder.cleanup();
    },
  };
}
