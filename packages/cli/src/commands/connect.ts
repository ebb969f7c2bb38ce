import { clearLine, createInterface, cursorTo } from "node:readline";
import {
  type Aggregate,
  connectWithBackoff,
  type EndInfo,
  type PawlConnection,
  parseAddress,
  type ReconnectingClient,
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
      const course = new Course();
      const client = connectWithBackoff({
        credential,
        ...server,
        padding,
        coverFirst: options.coverFirst === true,
        allowReadable: options.allowReadable === true,
        connectTimeoutMs: timeout,
        handshakeTimeoutMs: timeout,
        signal: io.stop,
        // What fails is the user's to judge; a renewal is no failure.
        maxAttempts: 1,
        onSession: (session) => course.follow(session),
        onLost: (error) => course.end(error),
      });
      try {
        await client.open();
        await converse(client, course, io, out);
      } finally {
        await client.close();
      }
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

/** The sessions of one command: one, and another each time the server renews it. */
class Course {
  #session: PawlConnection | null = null;
  #failure: Error | null = null;
  readonly #over = new AbortController();
  onSession: (session: PawlConnection) => void = () => {};

  /** Aborted when no session follows any more. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  get session(): PawlConnection | null {
    return this.#session;
  }

  follow(session: PawlConnection): void {
    this.#session = session;
    this.onSession(session);
    void session.closed.then(({ reason }) => {
      if (reason !== "renew") this.#over.abort();
    });
  }

  end(error: Error): void {
    this.#failure = error;
    this.#over.abort();
  }

  /** @throws what ended it, unless that was this side or a proper end */
  async check(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    const info: EndInfo | undefined = await this.#session?.closed;
    if (info === undefined || info.by === "local") return;
    if (info.error !== null) throw info.error;
    const { reason } = info;
    if (reason !== null && reason !== "done" && reason !== "renew") {
      throw new SessionEndedError(`the server ended the session: ${reason}`, reason, false);
    }
  }
}

/** Until the input ends, or the last session. */
async function converse(client: ReconnectingClient, course: Course, io: Io, out: Output): Promise<void> {
  const terminal = io.stdin.isTTY === true && !out.json;
  const { session } = course;
  if (session !== null) out.note(out.dim(`client ${session.clientId} at epoch ${session.epoch}; ^D ends`));
  const lines = createInterface({
    input: io.stdin,
    ...(terminal ? { output: io.stderr, prompt: "> " } : {}),
    terminal,
  });
  let prompting = false;
  const prompt = () => {
    prompting = terminal;
    if (terminal) lines.prompt(true);
  };
  course.onSession = ({ epoch }) => {
    const interrupts = prompting;
    if (interrupts) {
      clearLine(io.stderr, 0);
      cursorTo(io.stderr, 0);
    }
    out.note(out.dim(`renewed, at epoch ${epoch}`));
    if (interrupts) prompt();
  };
  const stop = () => lines.close();
  for (const signal of [io.stop, course.over]) {
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  }
  // In a terminal readline takes ^C for itself.
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  prompt();
  for await (const line of lines) {
    prompting = false;
    if (course.over.aborted || io.stop.aborted) break;
    try {
      print(await client.send(line), out);
    } catch (error) {
      if (io.stop.aborted) break;
      if (!(error instanceof MessageTooLargeError)) throw error;
      // Nothing was sent: the session goes on.
      out.note(error.message);
    }
    prompt();
  }
  // What comes next does not belong behind the prompt.
  if (terminal) io.stderr.write("\n");
  await client.close();
  if (!io.stop.aborted) await course.check();
}

function print(aggregate: Aggregate, out: Output): void {
  out.object(aggregate);
  const { round, value, contributors, also } = aggregate;
  const others = Object.entries(also).map(([name, text]) => `, ${name} ${short(text)}`);
  out.line(
    `round ${round}: value ${value ?? "none"}, product ${short(aggregate.aggregate)} of ${countOf(contributors)}${others.join("")}`,
  );
}
