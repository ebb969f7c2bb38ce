import { access, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { CommandError } from "../exit.ts";
import { homeOf, openKeys } from "../home.ts";
import { defaultToml } from "../settings.ts";

export function initCommand(parent: Command, context: Context): void {
  parent
    .command("init")
    .description("make a home: the key database and a settings file with every setting commented")
    .argument("[dir]", "the folder; without it the home (--home, PAWL_HOME, ./pawl)")
    .option("--home <dir>", "the home, as for every command")
    .addHelpText("after", "\nExample:\n  pawl init\n  pawl init /var/lib/pawl")
    .action(async (dir: string | undefined, options: { home?: string }) => {
      const { io, out } = context.start();
      const home = dir === undefined ? homeOf(options.home, io) : resolve(io.cwd, dir);
      const [database, settings] = [join(home, "keys.db"), join(home, "pawl.toml")];
      for (const file of [database, settings]) {
        const there = await access(file).then(
          () => true,
          () => false,
        );
        if (there) throw new CommandError(`${file} is there already; nothing was changed`);
      }
      try {
        await mkdir(home, { recursive: true, mode: 0o700 });
        await writeFile(settings, defaultToml(), { flag: "wx", mode: 0o600 });
      } catch (error) {
        throw new CommandError(`${home}: ${error instanceof Error ? error.message : error}`);
      }
      const keys = await openKeys(home, true);
      await keys.close();
      out.object({ home, database, settings });
      out.line(`made ${database} and ${settings}`);
      out.note(out.dim("next: pawl keys add"));
    });
}
