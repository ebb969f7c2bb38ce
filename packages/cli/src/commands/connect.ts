import { createInterface } from "node:readline";
import {
  type Aggregate,
  connect,
  type EndInfo,
  type PawlConnection,
  parseAddress,
  SessionEndedError,
} from "@pawl/client";
import { MessageTooLargeError, type PaddingPolicy, parsePadding } from "@pawl/protocol";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { countOf, short } from "../describe.ts";
import { InterruptedError, UsageError } from "../exit.ts";
import type { Io, Output } from "../io.ts";
import { parseDuration } from "../units.ts";

interface Options {
  coverFirst?: boolean;
  padding: string;
  allowReadable?: boolean;
  timeout: string;
}

export function connectCommand(parent: Command, context: Context): void {
  parent
    .command("connect")
    .description("a client: each line of input is one round, each aggregate a line of output")
    .argument("<credential>", "the credential file that pawl keys add wrote")
    .argument("[address]", "the server, host:port; without it the one in the credential")
    .option("--cover-first", "make the first round a cover, which contributes nothing")
    .option("--padding <policy>", "hides the length of messages: none, pow2, or block:N", "none")
    .option("--allow-readable", "take a credential that others may read")
    .option("--timeout <duration>", "how long to wait for the server, and for the handshake", "10s")
    .addHelpText(
      "after",
      "\nExamples:\n  pawl connect client-1.pawl\n  echo '12.5 13' | pawl connect client-1.pawl 127.0.0.1:7433 --json",
    )
    .action(async (credential: string, address: string | undefined, options: Options) => {
      const { io, out } = context.start();
      const { padding, timeout } = readOptions(options);
      const server = address === undefined ? {} : addressOf(address);
      const session = await connect({
        credential,
        ...server,
        padding,
        coverFirst: options.coverFirst === true,
        allowReadable: options.allowReadable === true,
        connectTimeoutMs: timeout,
        handshakeTimeoutMs: timeout,
        signal: io.stop,
      });
      out.note(out.dim(`client ${session.clientId} at epoch ${session.epoch}; ^D ends`));
      await converse(session, io, out);
      if (io.stop.aborted) throw new InterruptedError();
    });
}

function readOptions(options: Options): { padding: PaddingPolicy; timeout: number } {
  try {
    const padding = parsePadding(options.padding);
    return { padding, timeout: parseDuration(options.timeout) };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function addressOf(text: string): { host: string; port: number } {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Until the input or the session ends. */
async function converse(session: PawlConnection, io: Io, out: Output): Promise<void> {
  const terminal = io.stdin.isTTY === true && !out.json;
  const lines = createInterface({
    input: io.stdin,
    ...(terminal ? { output: io.stderr, prompt: "> " } : {}),
    terminal,
  });
  let ended: EndInfo | null = null;
  void session.closed.then((info) => {
    ended = info;
    lines.close();
  });
  const stop = () => lines.close();
  io.stop.addEventListener("abort", stop, { once: true });
  // In a terminal readline takes ^C for itself.
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  if (terminal) lines.prompt();
  for await (const line of lines) {
    if (ended !== null || io.stop.aborted) break;
    try {
      print(await session.send(line), out);
    } catch (error) {
      if (io.stop.aborted) break;
      if (!(error instanceof MessageTooLargeError)) throw error;
      // Nothing was sent: the session goes on.
      out.note(error.message);
    }
    if (terminal) lines.prompt();
  }
  // What comes next does not belong behind the prompt.
  if (terminal) io.stderr.write("\n");
  await session.close();
  const info = await session.closed;
  if (io.stop.aborted || info.by === "local") return;
  if (info.error !== null) throw info.error;
  if (info.reason !== null && info.reason !== "done") {
    throw new SessionEndedError(`the server ended the session: ${info.reason}`, info.reason, false);
  }
}

function print(aggregate: Aggregate, out: Output): void {
  out.object(aggregate);
  const { round, value, contributors, also } = aggregate;
  const others = Object.entries(also).map(([name, text]) => `, ${name} ${short(text)}`);
  out.line(
    `round ${round}: value ${value ?? "none"}, product ${short(aggregate.aggregate)} of ${countOf(contributors)}${others.join("")}`,
  );
}
