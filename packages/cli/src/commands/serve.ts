import { extname } from "node:path";
import { NO_PADDING, STRICT_SUITES, SUITES } from "@pawl/protocol";
import {
  createServer,
  createWorkers,
  type PawlServer,
  type RotationOptions,
  WorkerStartError,
  type WorkersOptions,
} from "@pawl/server";
import type { SqliteStore } from "@pawl/server/keys";
import type { Command } from "commander";
import { type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { Context } from "../context.ts";
import { describeEvent } from "../describe.ts";
import { InterruptedError } from "../exit.ts";
import { actor, addSetting, type Home, homeOf } from "../home.ts";
import { type Io, type Output, stopped, toJson, wantsColour } from "../io.ts";
import type { ServeWorkerData } from "../serve-worker.ts";
import { SETTING_NAMES, type Settings } from "../settings.ts";
import { formatAddress } from "../units.ts";

/** What classic lacks, said at start wherever it is run (section 3). */
export const CLASSIC_WARNING =
  "classic is on, for study: whole sessions can be replayed, who knows the base key reads every session ever recorded, " +
  "encryption and MAC keys share bytes, a cut stream is not noticed, lengths leak";

const PLAIN_WARNING =
  "the secrets in the key database are not encrypted: who reads its file has them all; pawl keys rewrap encrypts them";

/** Beside this command, built or not, whichever runs here. */
const WORKER_SCRIPT = new URL(`../serve-worker${extname(import.meta.url)}`, import.meta.url);

/** One for each packet or connection, and never more than details: not made where nobody would see them. */
const DETAILS = ["message", "connection", "handshake"] as const;

export function serveCommand(parent: Command, context: Context): void {
  const command = parent
    .command("serve")
    .description("run the server")
    .option("--home <dir>", "the home; without it PAWL_HOME, else ./pawl")
    .option("--check", "read the settings and the key database, and end");
  for (const name of SETTING_NAMES) addSetting(command, name);
  command
    .addHelpText(
      "after",
      "\nExamples:\n  pawl serve\n  pawl serve --listen 0.0.0.0:7433 --rounds eager --aggregates product,sum\n  pawl serve --workers auto\n  pawl serve --check\n\n" +
        "Settings come from flags, then PAWL_… variables, then pawl.toml in the home. SIGTERM and ^C drain.",
    )
    .action(async (options: Record<string, unknown> & { home?: string; check?: boolean }) => {
      const { io, out } = context.start();
      const home = homeOf(options, io);
      const { settings, path } = home;
      const keys = await home.openKeys({ actor: serveActor() });
      try {
        if (options.check === true) {
          const enrolled = await keys.count();
          out.object({ ok: true, home: path, enrolled });
          out.line(`the settings are good; ${enrolled} clients are enrolled in ${path}`);
          return;
        }
        const server = serverOf(home, keys, io);
        subscribe(server, settings, io, out);
        const address = await listen(server, settings, io);
        if (address !== null) {
          out.line(`pawl serves on ${formatAddress(address)}, home ${path}`);
          if (keys.dbKeyId === null) out.note(out.red(PLAIN_WARNING));
          if (settings.allowClassic) out.note(out.red(CLASSIC_WARNING));
          await stopped(io);
          await server.close();
        }
      } finally {
        await keys.close();
      }
      if (io.stoppedBy() === "SIGINT") throw new InterruptedError();
    });
}

/** A server of one process, or of as many workers as the settings say. */
function serverOf(home: Home, keys: SqliteStore, io: Io): Pick<PawlServer, "events" | "listen" | "close"> {
  const { settings } = home;
  const options: Omit<WorkersOptions, "workers" | "script"> = {
    keys,
    suites: settings.allowClassic ? SUITES : STRICT_SUITES,
    rounds: {
      policy: settings.rounds,
      deadlineMs: settings.roundDeadline,
      aggregates: settings.aggregates,
    },
    maxMessage: settings.maxMessage,
    padding: settings.padding ?? NO_PADDING,
    maxClients: settings.maxClients,
    limits: { idleMs: settings.idleTimeout },
    rotation: rotationOf(settings),
    onClone: settings.onClone,
    ...(settings.overdueAfter === null ? {} : { overdueAfterMs: settings.overdueAfter }),
  };
  const { workers, dbKeyFile, dbKeyCommand } = settings;
  if (workers === 1) return createServer(options);
  const { path, database } = home;
  const data: ServeWorkerData = { home: path, database, dbKeyFile, dbKeyCommand };
  return createWorkers({ ...options, workers, script: WORKER_SCRIPT, data, env: io.env });
}

/** Null: it was told to stop before it served. A ^C then ends workers that cannot heed signals yet, which is no failure. */
async function listen(
  server: Pick<PawlServer, "listen">,
  settings: Settings,
  { stop }: Io,
): Promise<{ host: string; port: number } | null> {
  try {
    return await server.listen(settings.listen);
  } catch (error) {
    if (error instanceof WorkerStartError && stop.aborted) return null;
    throw error;
  }
}

function serveActor(): string {
  return `pawl serve (${actor()})`;
}

function rotationOf({ maxSessionAge, maxSessionRounds }: Settings): RotationOptions {
  return {
    ...(maxSessionAge === null ? {} : { maxSessionAgeMs: maxSessionAge }),
    ...(maxSessionRounds === null ? {} : { maxSessionRounds }),
  };
}

/** Events: one a line on stdout with --json, else a log on stderr. */
function subscribe({ events }: Pick<PawlServer, "events">, settings: Settings, io: Io, out: Output): void {
  if (out.json) {
    events.onAny((event) => out.object(event));
    return;
  }
  const logger = loggerOf(settings, io);
  if (logger === null) return;
  const except = logger.isLevelEnabled("debug") ? [] : DETAILS;
  events.onAny(
    (event) => {
      const { level, text } = describeEvent(event);
      if (logger.isLevelEnabled(level)) logger[level](JSON.parse(toJson(event)), text);
    },
    { except },
  );
}

function loggerOf({ log }: Settings, io: Io): Logger | null {
  if (log === "off") return null;
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (log === "json" || (log === "auto" && io.stderr.isTTY !== true)) return pino(options, io.stderr);
  const stream = pretty({
    colorize: wantsColour(io),
    destination: io.stderr,
    translateTime: "HH:MM:ss",
    // What an event has to say is in its text.
    hideObject: true,
  });
  return pino(options, stream);
}
