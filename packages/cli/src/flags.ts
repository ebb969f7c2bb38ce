import { type ClientId, clientId, MAX_U32 } from "@pawl/protocol";
import { UsageError } from "./exit.ts";
import { parseInteger } from "./units.ts";

/** Flags and arguments of one command, which say their own name when they are wrong. */

/** @throws UsageError */
export function readFlag<T>(flag: string, text: string, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`${flag}: ${error.message}, found ${JSON.stringify(text)}`);
  }
}

/** @throws UsageError */
export function integerFlag(flag: string, text: string, least: number, most: number): number {
  return readFlag(flag, text, (value) => parseInteger(value, least, most));
}

/** @throws UsageError */
export function clientIdArgument(text: string): ClientId {
  return clientId(integerFlag("client id", text, 1, MAX_U32));
}
