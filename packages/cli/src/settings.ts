import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  DEFAULT_MAX_MESSAGE,
  MAX_U32,
  MIN_MAX_MESSAGE,
  type PaddingPolicy,
  parsePadding,
} from "@pawl/protocol";
import { ON_CLONE, type OnClone, type ReducerName, type RoundsPolicy } from "@pawl/server";
import { parse as parseToml, TomlError } from "smol-toml";
import { z } from "zod";
import { CommandError, UsageError } from "./exit.ts";
import {
  parseAggregates,
  parseBoolean,
  parseChoice,
  parseDuration,
  parseInteger,
  parseListen,
  parseSize,
  parseUnlessOff,
  parseWorkers,
} from "./units.ts";

/** What a server can be told, in one place: flag, variable, key of pawl.toml, check, help and default follow from it. */
export interface Settings {
  listen: { host: string; port: number };
  maxClients: number;
  rounds: RoundsPolicy;
  roundDeadline: number;
  aggregates: ReducerName[];
  padding: PaddingPolicy;
  maxMessage: number;
  idleTimeout: number;
  maxSessionAge: number | null;
  maxSessionRounds: number | null;
  onClone: OnClone;
  overdueAfter: number | null;
  workers: number;
  allowClassic: boolean;
  log: "auto" | "json" | "pretty" | "off";
  /** In the home, unless absolute. */
  dbKeyFile: string;
  dbKeyCommand: string | null;
}

interface Setting<T> {
  /** As a person would write it. */
  readonly default: string;
  /** For help: what follows the flag; null for a switch. */
  readonly value: string | null;
  readonly describe: string;
  readonly schema: z.ZodType<T, string>;
}

/** A schema over text from a reader that throws what was expected. */
function text<T>(read: (value: string) => T): z.ZodType<T, string> {
  return z.string().transform((value, context) => {
    try {
      return read(value);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "wrong" });
      return z.NEVER;
    }
  });
}

export const SETTINGS: { readonly [Name in keyof Settings]: Setting<Settings[Name]> } = {
  listen: {
    default: "127.0.0.1:7433",
    value: "ADDRESS",
    describe: "where clients connect; loopback unless you say otherwise",
    schema: text(parseListen),
  },
  maxClients: {
    default: "100",
    value: "N",
    describe: "clients that may be enrolled and live",
    schema: text((value) => parseInteger(value, 1, MAX_U32)),
  },
  rounds: {
    default: "barrier",
    value: "POLICY",
    describe: "barrier: a round waits for every live client, up to its deadline; eager: for nobody",
    schema: text((value) => parseChoice(value, ["barrier", "eager"] as const)),
  },
  roundDeadline: {
    default: "1s",
    value: "DURATION",
    describe: "how long a barrier round stays open after its first message",
    schema: text(parseDuration),
  },
  aggregates: {
    default: "product",
    value: "LIST",
    describe: "what to report of each round: product and, after commas, sum, mean, min, max, count",
    schema: text(parseAggregates),
  },
  padding: {
    default: "none",
    value: "POLICY",
    describe: "hides the length of aggregates: none, pow2, or block:N",
    schema: text((value) => {
      try {
        return parsePadding(value);
      } catch {
        throw new RangeError("expected none, pow2 or block:N with N from 1 to 65536");
      }
    }),
  },
  maxMessage: {
    default: `${DEFAULT_MAX_MESSAGE >> 20}MiB`,
    value: "SIZE",
    describe: "the longest message; the first one of a session has 16KiB",
    schema: text((value) => {
      const bytes = parseSize(value);
      if (bytes < MIN_MAX_MESSAGE || bytes > MAX_U32)
        throw new RangeError("expected a size from 4KiB to under 4GiB");
      return bytes;
    }),
  },
  idleTimeout: {
    default: "5m",
    value: "DURATION",
    describe: "ends a session that sends nothing for so long",
    schema: text(parseDuration),
  },
  maxSessionAge: {
    default: "off",
    value: "DURATION",
    describe: "renews a session that is older, so that its client moves to the next epoch",
    schema: text((value) => parseUnlessOff(value, parseDuration)),
  },
  maxSessionRounds: {
    default: "off",
    value: "N",
    describe: "renews a session after so many messages",
    schema: text((value) => parseUnlessOff(value, (count) => parseInteger(count, 2, MAX_U32))),
  },
  onClone: {
    default: "alert",
    value: "ACTION",
    describe: "when two holders of one key are there: alert, or revoke that client as well",
    schema: text((value) => parseChoice(value, ON_CLONE)),
  },
  overdueAfter: {
    default: "off",
    value: "DURATION",
    describe: "tells of clients whose epoch has not moved for so long, such as 30d",
    schema: text((value) => parseUnlessOff(value, parseDuration)),
  },
  workers: {
    default: "1",
    value: "N",
    describe: "processes that connections are spread over; auto: as many as there are cores",
    schema: text(parseWorkers),
  },
  allowClassic: {
    default: "false",
    value: null,
    describe: "runs the suite classic too, which is for study: see its weaknesses in docs/PROTOCOL.md",
    schema: text(parseBoolean),
  },
  log: {
    default: "auto",
    value: "FORMAT",
    describe: "events on stderr: json, pretty, off; auto is pretty on a terminal",
    schema: text((value) => parseChoice(value, ["auto", "json", "pretty", "off"] as const)),
  },
  dbKeyFile: {
    default: "db.key",
    value: "FILE",
    describe: "the db key that wraps the secrets in the key database; PAWL_DB_KEY may hold the key itself",
    schema: text((value) => {
      if (value === "") throw new RangeError("expected a file");
      return value;
    }),
  },
  dbKeyCommand: {
    default: "",
    value: "COMMAND",
    describe: "a command that prints the db key, in place of the file: for a secret manager",
    schema: text((value) => (value === "" ? null : value)),
  },
};

export const SETTING_NAMES = Object.keys(SETTINGS) as (keyof Settings)[];

/** `maxClients` → `max-clients`: the flag without its dashes, and the key of pawl.toml. */
export function keyOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function variableOf(name: string): string {
  return `PAWL_${keyOf(name).replaceAll("-", "_").toUpperCase()}`;
}

/** Where a value came from, for messages. */
interface Sourced {
  readonly value: string;
  /** `--max-clients`, `PAWL_MAX_CLIENTS`, `pawl/pawl.toml:3:1: max-clients`. */
  readonly where: string;
  readonly fromFile: boolean;
}

/**
 * Flags, then variables, then pawl.toml, then defaults.
 * @throws UsageError for flags and variables, CommandError for the file: with the place and what was expected
 */
export function readSettings(
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): Settings {
  const file = readToml(join(home, "pawl.toml"));
  const read = <Name extends keyof Settings>(name: Name): Settings[Name] => {
    const setting = SETTINGS[name];
    const source = sourceOf(name, flags, env, file);
    const result = setting.schema.safeParse(source?.value ?? setting.default);
    if (result.success) return result.data;
    const expected = result.error.issues[0]?.message ?? "something else";
    const message = `${source?.where ?? keyOf(name)}: ${expected}, found ${JSON.stringify(source?.value)}`;
    throw source?.fromFile ? new CommandError(message) : new UsageError(message);
  };
  return {
    listen: read("listen"),
    maxClients: read("maxClients"),
    rounds: read("rounds"),
    roundDeadline: read("roundDeadline"),
    aggregates: read("aggregates"),
    padding: read("padding"),
    maxMessage: read("maxMessage"),
    idleTimeout: read("idleTimeout"),
    maxSessionAge: read("maxSessionAge"),
    maxSessionRounds: read("maxSessionRounds"),
    onClone: read("onClone"),
    overdueAfter: read("overdueAfter"),
    workers: read("workers"),
    allowClassic: read("allowClassic"),
    log: read("log"),
    dbKeyFile: read("dbKeyFile"),
    dbKeyCommand: read("dbKeyCommand"),
  };
}

function sourceOf(
  name: keyof Settings,
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  file: ReadonlyMap<string, Sourced>,
): Sourced | undefined {
  const flag = flags[name];
  if (flag !== undefined) return { value: String(flag), where: `--${keyOf(name)}`, fromFile: false };
  const variable = env[variableOf(name)];
  if (variable !== undefined) return { value: variable, where: variableOf(name), fromFile: false };
  return file.get(keyOf(name));
}

/** Empty where there is no file. @throws CommandError with file, line and column */
function readToml(path: string): Map<string, Sourced> {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return new Map();
    throw new CommandError(`${path}: cannot be read: ${message}`);
  }
  let parsed: Record<string, unknown>;
  try {
    parsed = parseToml(content);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = "wrong"] = error.message.split("\n");
    throw new CommandError(`${path}:${error.line}:${error.column}: ${what}`);
  }
  const known = new Set(SETTING_NAMES.map(keyOf));
  const out = new Map<string, Sourced>();
  for (const [written, value] of Object.entries(parsed)) {
    const where = `${path}:${placeOf(content, written)}: ${written}`;
    const key = written.replaceAll("_", "-");
    if (!known.has(key))
      throw new CommandError(`${where}: unknown; expected one of ${[...known].join(", ")}`);
    if (!["string", "number", "boolean"].includes(typeof value)) {
      throw new CommandError(`${where}: expected text, a number, true or false`);
    }
    out.set(key, { value: String(value), where, fromFile: true });
  }
  return out;
}

/** `line:column` of a key, both from 1. */
function placeOf(content: string, key: string): string {
  for (const [index, line] of content.split("\n").entries()) {
    const column = line.search(/\S/);
    const text = line.slice(Math.max(column, 0)).replace(/^\[/, "").replace(/^["']/, "");
    if (text.startsWith(key) && /^["']?\s*[=.\]]/.test(text.slice(key.length)))
      return `${index + 1}:${column + 1}`;
  }
  return "1:1";
}

/** The pawl.toml of `pawl init`: every setting, commented, at its default, but for those that were given. */
export function defaultToml(given: Readonly<Record<string, unknown>> = {}): string {
  const lines = [
    "# Settings of this Pawl home. Flags win over PAWL_… variables, and those over this file.",
    "",
  ];
  for (const name of SETTING_NAMES) {
    const { describe, default: value } = SETTINGS[name];
    const own = given[name];
    const text = own === undefined ? value : String(own);
    const bare = /^(?:\d+|true|false)$/.test(text);
    const line = `${keyOf(name)} = ${bare ? text : JSON.stringify(text)}`;
    lines.push(`# ${describe}`, own === undefined ? `#${line}` : line, "");
  }
  return lines.join("\n");
}
