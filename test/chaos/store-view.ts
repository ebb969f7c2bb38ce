import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { World } from "./world.ts";

/** What the key database holds of a client: the epoch, and the column of its secret as it stands, wrapped or not. */
export interface StoredRow {
  readonly clientId: number;
  readonly epoch: number;
  readonly secret: Uint8Array;
}

/**
 * Reads a copy of the key database of `home`. The database itself must not be opened here: who opens it recovers its log
 * and, as the last to close it, empties it, and that is what the server is to be seen doing.
 */
export async function readStore({ folder: world, home }: World): Promise<StoredRow[]> {
  // Beside, not below: what is below is searched for secrets.
  const folder = await mkdtemp(`${world}-view-`);
  try {
    const copy = join(folder, "keys.db");
    // The log first: what a checkpoint moves meanwhile is in the database then, and the log says it once more.
    await copyFile(join(home, "keys.db-wal"), `${copy}-wal`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    await copyFile(join(home, "keys.db"), copy);
    const db = await openDatabase(copy);
    try {
      const rows = db
        .prepare(
          "SELECT client_id AS clientId, epoch, secret FROM clients JOIN secrets USING (slot) ORDER BY client_id",
        )
        .all();
      return (rows as StoredRow[]).map(({ clientId, epoch, secret }) => ({ clientId, epoch, secret }));
    } finally {
      db.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The part of the API that both drivers have and that is used here. */
interface Database {
  prepare(sql: string): { all(): unknown[] };
  close(): void;
}

async function openDatabase(path: string): Promise<Database> {
  type Driver = { readonly DatabaseSync: new (path: string) => Database };
  const builtIn = process.getBuiltinModule("node:sqlite") as Driver | undefined;
  const { DatabaseSync } = builtIn ?? ((await import("@photostructure/sqlite")) as Driver);
  return new DatabaseSync(path);
}
