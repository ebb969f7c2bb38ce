import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDbKey, writeDbKeyFile } from "@pawl/server/keys";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { CommandError } from "../exit.ts";
import { homeOf, withHome } from "../home.ts";
import { defaultToml } from "../settings.ts";

export function initCommand(parent: Command, context: Context): void {
  withHome(
    parent
      .command("init")
      .description(
        "make a home: the key database, its db key, and a settings file with every setting commented",
      )
      .argument("[dir]", "the folder; without it the home (--home, PAWL_HOME, ./pawl)")
      .option("--service <name>", "names this server for imported pre-shared keys, on both sides", "pawl"),
  )
    .addHelpText(
      "after",
      "\nExamples:\n  pawl init\n  pawl init /var/lib/pawl --service meters\n  pawl init --db-key-file /etc/pawl/db.key\n\n" +
        "Keep the db key away from the database and from its backups: who has one without the other has nothing.",
    )
    .action(async (dir: string | undefined, options: { home?: string; service: string }) => {
      const { io, out } = context.start();
      const home = homeOf(dir === undefined ? options : { ...options, home: dir }, io);
      const { dbKey, database } = home;
      const settings = join(home.path, "pawl.toml");
      const ownKey = dbKey.kind === "file" ? [dbKey.path] : [];
      for (const file of [database, settings, ...ownKey]) {
        const there = await access(file).then(
          () => true,
          () => false,
        );
        if (there) throw new CommandError(`${file} is there already; nothing was changed`);
      }
      try {
        await mkdir(home.path, { recursive: true, mode: 0o700 });
        await writeFile(settings, defaultToml({ ...options }), { flag: "wx", mode: 0o600 });
      } catch (error) {
        throw new CommandError(`${home.path}: ${error instanceof Error ? error.message : error}`);
      }
      for (const file of ownKey) {
        const key = createDbKey();
        await writeDbKeyFile(file, [key], { exclusive: true });
        key.fill(0);
      }
      const keys = await home.openKeys({ create: true, service: options.service });
      await keys.close();
      out.object({ home: home.path, database, dbKey: ownKey[0] ?? null, settings });
      out.line(`made ${[database, ...ownKey, settings].join(", ")}`);
      out.note(out.dim("next: pawl keys add"));
    });
}
