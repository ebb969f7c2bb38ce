import type { Attack } from "../attack.ts";
import { replayData } from "./replay-data.ts";
import { replaySession } from "./replay-session.ts";

/** The catalogue, in the order in which it is listed and run. A new attack is a file here and a line. */
export const ATTACKS: readonly Attack[] = [replayData, replaySession];

export function attackById(id: string): Attack | undefined {
  return ATTACKS.find((attack) => attack.id === id);
}
