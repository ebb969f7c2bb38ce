import { resolve } from "node:path";
import { wipe } from "@pawl/protocol";
import {
  createDbKey,
  dbKeyId,
  dbKeyIdOf,
  readDbKeyFile,
  StoreError,
  writeDbKeyFile,
} from "@pawl/server/keys";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { CommandError, UsageError } from "../exit.ts";
import { type Home, homeOf, withHome, withKeys } from "../home.ts";
import type { Io, Output } from "../io.ts";
import { progressBar } from "../progress.ts";

/**
 * Moves the database to another db key while servers use it. The file holds both keys until every secret has moved, so
 * that a crash at any instant leaves a database that opens, and the same command takes it up again.
 */
export function keysRewrapCommand(parent: Command, context: Context): void {
  withHome(
    parent
      .command("rewrap")
      .description(
        "wrap every secret under another db key, without stopping the server; encrypts a database that is not",
      ),
  )
    .option("--new-key-file <file>", "the new db key; without it a random one is made")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl keys rewrap\n  pawl keys rewrap --new-key-file next.key\n\n" +
        "With PAWL_DB_KEY or db-key-command: have it give the old key and, behind it, the new one, start the server anew where it is\n" +
        "a variable, run this, then take the old one away. Backups stay under the key of their day.",
    )
    .action(async (options: { home?: string; newKeyFile?: string }) => {
      const { io, out } = context.start();
      const home = homeOf(options, io);
      const given =
        options.newKeyFile === undefined ? null : await oneKey(resolve(io.cwd, options.newKeyFile));
      const keys =
        home.dbKey.kind === "file" ? await keysInFile(home, given) : await keysElsewhere(home, given);
      const to = keys.at(-1);
      if (to === undefined) throw new StoreError(`${home.dbKey.name}: no db key in it`);
      const id = dbKeyId(to);
      const clients = await move(home, id, io, out);
      if (home.dbKey.kind === "file") await writeDbKeyFile(home.dbKey.path, [to]);
      wipe(...keys);
      out.object({ dbKey: id, clients });
      out.line(`${clients} clients are wrapped under db key ${id}`);
      if (home.dbKey.kind !== "file") out.note(`now take the old key out of ${home.dbKey.name}`);
    });
}

/** The keys that the file has to hold during the move, the new one last; they are in it, durably. */
async function keysInFile(
  { dbKey, database, openKeys }: Home,
  given: Uint8Array | null,
): Promise<Uint8Array[]> {
  const keys = await dbKey.load();
  if (keys.length === 0) {
    // Nothing is encrypted yet, or the key is lost: opening says which.
    await (await openKeys()).close();
    const first = given ?? createDbKey();
    await writeDbKeyFile(dbKey.path, [first], { exclusive: true });
    return [first];
  }
  if (keys.length > 1) {
    if (given !== null)
      throw new UsageError(
        "--new-key-file: a move to another key was interrupted; run pawl keys rewrap first",
      );
    return keys;
  }
  if ((await dbKeyIdOf(database)) === null) return keys;
  const moving = [...keys, given ?? createDbKey()];
  await writeDbKeyFile(dbKey.path, moving);
  return moving;
}

async function keysElsewhere({ dbKey, database }: Home, given: Uint8Array | null): Promise<Uint8Array[]> {
  if (given !== null)
    throw new UsageError(
      `--new-key-file: the db key comes from ${dbKey.name}; give the new one there, behind the old`,
    );
  const keys = await dbKey.load();
  if (keys.length < 2 && (await dbKeyIdOf(database)) !== null) {
    throw new CommandError(
      `${dbKey.name} gives one key, which is in use; have it give the new one as well, behind it`,
    );
  }
  return keys;
}

async function move(home: Home, id: string, io: Io, out: Output): Promise<number> {
  return withKeys(
    home,
    async (keys) => {
      const clients = await keys.count();
      const bar = progressBar(io, out, "secrets", clients);
      try {
        await keys.rewrap(id, (done) => bar.update(done));
      } finally {
        bar.stop();
      }
      return clients;
    },
    { encrypt: true },
  );
}

async function oneKey(path: string): Promise<Uint8Array> {
  const [key, ...more] = await readDbKeyFile(path);
  if (key === undefined || more.length > 0) throw new CommandError(`${path}: expected one db key`);
  return key;
}
