import type { Command } from "commander";
import { type Io, Output } from "./io.ts";

/** What a command gets: the world, and where to write. */
export interface Context {
  readonly io: Io;
  /** Called by an action first: from here on what is wrong is no matter of usage. */
  start(): { io: Io; out: Output };
}

export function createContext(program: Command, io: Io): Context {
  return {
    io,
    start: () => {
      const json = program.opts<{ json?: boolean }>().json === true;
      return { io, out: new Output(io, json) };
    },
  };
}
