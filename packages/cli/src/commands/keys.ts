import type { Command } from "commander";
import type { Context } from "../context.ts";
import { keysAddCommand } from "./keys-add.ts";
import { keysChangeCommands } from "./keys-change.ts";
import { keysExportCommands } from "./keys-export.ts";
import { keysListCommand } from "./keys-list.ts";
import { keysLogCommands } from "./keys-log.ts";
import { keysRewrapCommand } from "./keys-rewrap.ts";
import { keysShowCommand } from "./keys-show.ts";

export function keysCommand(parent: Command, context: Context): void {
  const keys = parent.command("keys").description("the clients of a home and their keys");
  keysAddCommand(keys, context);
  keysListCommand(keys, context);
  keysShowCommand(keys, context);
  keysChangeCommands(keys, context);
  keysExportCommands(keys, context);
  keysRewrapCommand(keys, context);
  keysLogCommands(keys, context);
}
