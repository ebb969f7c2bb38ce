import { resolve } from "node:path";
import { MAX_U32, RESTORED_WINDOW } from "@pawl/protocol";
import { readDbKeyFile, restoreSqliteStore } from "@pawl/server/keys";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { integerFlag } from "../flags.ts";
import { actor, homeOf, withHome, withKeys } from "../home.ts";

export function backupCommand(parent: Command, context: Context): void {
  withHome(
    parent
      .command("backup")
      .description("write a consistent copy of the key database, with the server running"),
  )
    .argument("<file>", "a new file (mode 0600)")
    .addHelpText(
      "after",
      "\nExample:\n  pawl backup /var/backups/pawl-$(date +%F).db\n\n" +
        "Its secrets are wrapped under the db key of the home, which is not in it: keep the two apart, and both safe.",
    )
    .action(async (name: string, options: { home?: string }) => {
      const { io, out } = context.start();
      const file = resolve(io.cwd, name);
      await withKeys(homeOf(options, io), async (keys) => {
        await keys.backup(file);
        const clients = await keys.count();
        out.object({ file, clients, dbKey: keys.dbKeyId });
        out.line(`${file}: ${clients} clients`);
        if (keys.dbKeyId === null)
          out.note(out.red("its secrets are not encrypted; pawl keys rewrap encrypts the database"));
      });
    });
}

export function restoreCommand(parent: Command, context: Context): void {
  withHome(
    parent
      .command("restore")
      .description("put a backup back, with the servers stopped; clients that went on come back in"),
  )
    .argument("<backup>", "what pawl backup wrote")
    .option(
      "--window <n>",
      "how many epochs clients may have gone on since the backup",
      String(RESTORED_WINDOW),
    )
    .option("--with-removed", "bring clients back that were removed since the backup")
    .option(
      "--old-key-file <file>",
      "the db key of the backup, where the database has moved to another since",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  pawl restore /var/backups/pawl-2026-11-25.db\n  pawl restore old.db --window 20000 --old-key-file old.key\n\n" +
        "What was revoked, reissued, removed or enrolled since the backup stays so, as long as the key database is there.",
    )
    .action(
      async (
        name: string,
        options: { home?: string; window: string; withRemoved?: boolean; oldKeyFile?: string },
      ) => {
        const { io, out } = context.start();
        const window = integerFlag("--window", options.window, 1, MAX_U32);
        const { database, dbKey } = homeOf(options, io);
        const { oldKeyFile } = options;
        const report = await restoreSqliteStore({
          path: database,
          backup: resolve(io.cwd, name),
          dbKeys: async () => [
            ...(await dbKey.load()),
            ...(oldKeyFile === undefined ? [] : await readDbKeyFile(resolve(io.cwd, oldKeyFile))),
          ],
          window,
          withRemoved: options.withRemoved === true,
          actor: actor(),
        });
        out.object(report);
        const { restored, carriedOver } = report;
        out.line(`restored ${restored} clients, window ${window}`);
        if (carriedOver === null) {
          out.note(
            out.red(
              "there was no key database to carry anything over from: what was revoked, reissued, removed or enrolled since the " +
                "backup is lost; do it again before the server starts",
            ),
          );
          return;
        }
        for (const [what, ids] of Object.entries(carriedOver)) {
          if (ids.length > 0) out.line(`${what} since, kept so: ${ids.join(", ")}`);
        }
      },
    );
}
