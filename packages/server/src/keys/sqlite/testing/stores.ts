import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyOf, DEFAULT_WINDOW } from "@pawl/protocol";
import { systemClock, systemRandom } from "@pawl/protocol/driver";
import type { StoreUnderTest } from "../../testing/conformance.ts";
import { Keyring } from "../../wrapping.ts";
import { type Database, loadDriver } from "../driver.ts";
import type { Opener } from "../identity.ts";
import type { WriterData } from "../messages.ts";
import { openSqliteStore } from "../open.ts";

export interface Folder {
  /** Of a key database that is not there yet. */
  readonly path: string;
  readonly cleanup: () => Promise<void>;
}

export async function newFolder(): Promise<Folder> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-keys-"));
  return { path: join(folder, "keys.db"), cleanup: () => rm(folder, { recursive: true, force: true }) };
}

/** Opens without db keys. */
export function plainOpener(): Opener {
  const keyring = new Keyring([]);
  return { keyring, random: systemRandom, actor: "test", now: 0, service: null, encrypt: false };
}

/** What the thread of a store starts with, without db keys. */
export function plainWriterData(path: string): WriterData {
  return { path, create: false, keys: [], encrypt: false, service: null, actor: "test" };
}

/** A connection beside the store's, as another program would have it. */
export async function rawConnection(path: string): Promise<Database> {
  const { DatabaseSync } = await loadDriver();
  return new DatabaseSync(path);
}

/** @param dbKey secrets are wrapped under it; null: stored as they are */
export async function sqliteStoreUnderTest(dbKey: Uint8Array | null): Promise<StoreUnderTest> {
  const folder = await newFolder();
  let now = 0;
  const clock = { ...systemClock, now: () => now };
  const options = {
    path: folder.path,
    clock,
    ...(dbKey === null ? {} : { dbKeys: async () => [copyOf(dbKey)] }),
  };
  const store = await openSqliteStore({ ...options, create: true });
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
      const again = await openSqliteStore(options);
      opened.push(again);
      return again;
    },
    cleanup: async () => {
      for (const one of opened) await one.close();
      await folder.cleanup();
    },
  };
}
