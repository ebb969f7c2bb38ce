import type { Command } from "commander";
import type { Context } from "../context.ts";
import { keysAddCommand } from "./keys-add.ts";
import { keysListCommand } from "./keys-list.ts";

export function keysCommand(parent: Command, context: Context): void {
  const keys = parent.command("keys").description("the clients of a home and their keys");
  keysAddCommand(keys, context);
  keysListCommand(keys, context);
}
