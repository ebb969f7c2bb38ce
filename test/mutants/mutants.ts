import { EPOCHS } from "./list/epochs.ts";
import { PACKETS } from "./list/packets.ts";
import { SERVER } from "./list/server.ts";
import { SESSIONS } from "./list/sessions.ts";
import type { Mutant } from "./mutant.ts";

/** Broken builds of the protocol. Each has to be caught by an attack; a new mistake is an entry in a list. */
export const MUTANTS: readonly Mutant[] = [...PACKETS, ...SESSIONS, ...EPOCHS, ...SERVER];
