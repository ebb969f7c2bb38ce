import type { Command } from "commander";
import type { Context } from "../context.ts";
import { backupCommand, restoreCommand } from "./backup.ts";
import { benchCommand } from "./bench.ts";
import { connectCommand } from "./connect.ts";
import { demoCommand } from "./demo.ts";
import { initCommand } from "./init.ts";
import { keysCommand } from "./keys.ts";
import { labCommand } from "./lab.ts";
import { proxyCommand } from "./proxy.ts";
import { serveCommand } from "./serve.ts";

/** Every command, in the order of `pawl --help`. A new one is a file here and a line. */
export const COMMANDS: readonly ((parent: Command, context: Context) => void)[] = [
  demoCommand,
  initCommand,
  keysCommand,
  backupCommand,
  restoreCommand,
  serveCommand,
  connectCommand,
  labCommand,
  proxyCommand,
  benchCommand,
];
