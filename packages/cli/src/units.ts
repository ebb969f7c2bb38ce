import { availableParallelism } from "node:os";
import { MAX_WORKERS, REDUCER_NAMES, type ReducerName } from "@pawl/server";

/** Reading what people write: durations, sizes, addresses, lists. Each throws a RangeError that says what was expected. */

const DAY_MS = 24 * 3_600_000;
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: DAY_MS,
};
/** A hundred years: what is longer is a slip of the pen. */
const LONGEST_DURATION_MS = 36_525 * DAY_MS;
const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1 << 10, MiB: 1 << 20, GiB: 1 << 30 };

/** `500ms`, `1s`, `1.5s`, `2m`, `1h`, `30d` in milliseconds. */
export function parseDuration(text: string): number {
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(amount) * (DURATION_UNITS[unit] ?? Number.NaN);
  if (!Number.isInteger(ms) || ms < 1 || ms > LONGEST_DURATION_MS) {
    throw new RangeError("expected a duration such as 500ms, 1s, 5m or 30d");
  }
  return ms;
}

/** `off` as null, else as `read` takes it. */
export function parseUnlessOff<T>(text: string, read: (text: string) => T): T | null {
  if (text === "off") return null;
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${error.message}, or off`);
  }
}

/** `4096`, `64KiB`, `1MiB` in bytes. */
export function parseSize(text: string): number {
  const [, amount = "", unit = "B"] = /^(\d+)(B|KiB|MiB|GiB)?$/.exec(text) ?? [];
  const bytes = Number(amount || Number.NaN) * (SIZE_UNITS[unit] ?? Number.NaN);
  if (!Number.isSafeInteger(bytes)) throw new RangeError("expected a size such as 4096, 64KiB or 1MiB");
  return bytes;
}

/** `host:port`, `[::1]:7433`, with a port of 0 for any free one. */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? Number.NaN);
  if (host === undefined || !(port <= 65_535)) {
    throw new RangeError("expected an address such as 127.0.0.1:7433 or [::1]:7433");
  }
  return { host, port };
}

export function formatAddress({ host, port }: { host: string; port: number }): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export function parseInteger(text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new RangeError(`expected an integer from ${least} to ${most}`);
  return value;
}

/** `2`; `auto` for the cores that this process may use. */
export function parseWorkers(text: string): number {
  if (text === "auto") return Math.min(availableParallelism(), MAX_WORKERS);
  try {
    return parseInteger(text, 1, MAX_WORKERS);
  } catch {
    throw new RangeError(`expected an integer from 1 to ${MAX_WORKERS}, or auto`);
  }
}

export function parseBoolean(text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new RangeError("expected true or false");
}

export function parseChoice<T extends string>(text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new RangeError(`expected ${choices.join(", ")}`);
  return found;
}

/** `product,sum,mean` */
export function parseAggregates(text: string): ReducerName[] {
  return text.split(",").map((name) => parseChoice(name.trim(), REDUCER_NAMES));
}
