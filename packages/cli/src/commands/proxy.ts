import { resolve } from "node:path";
import {
  AttackerConnection,
  type AttackSpec,
  attackHelp,
  createProxy,
  describeReaction,
  type Entry,
  type ObservedFrame,
  parseAttack,
  playClient,
  programOf,
  Recording,
} from "@pawl/lab";
import { DEFAULT_PORT } from "@pawl/server";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { InterruptedError, UsageError } from "../exit.ts";
import { readFlag } from "../flags.ts";
import { type Io, type Output, stopped } from "../io.ts";
import { isSilent, lineOfEntry, objectOfEntry } from "../proxy/entries.ts";
import { GrowingFile, readRecording, writeLines, writePackets } from "../proxy/files.ts";
import { formatAddress, parseListen } from "../units.ts";

interface Options {
  listen: string;
  upstream: string;
  attack?: string[];
  record?: string;
  pcap?: string;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

export function proxyCommand(parent: Command, context: Context): void {
  parent
    .command("proxy")
    .description("a man in the middle by hand: shows each frame, and does to it what you say")
    .option("--listen <address>", "where clients connect to it", `127.0.0.1:${DEFAULT_PORT + 1}`)
    .option("--upstream <address>", "the server behind it", `127.0.0.1:${DEFAULT_PORT}`)
    .option("--attack <spec>", "what it does; may be given several times", collect)
    .option("--record <file>", "write all that passes into a file of lines")
    .option("--pcap <file>", "write all that passes into a capture file for Wireshark")
    .addHelpText("after", () => `\n${helpLines().join("\n")}`)
    .action(async (options: Options) => {
      const { io, out } = context.start();
      const listen = readFlag("--listen", options.listen, parseListen);
      const upstream = readFlag("--upstream", options.upstream, parseListen);
      if (upstream.port === 0)
        throw new UsageError("--upstream: a server listens on a port, from 1 to 65535");
      const attacks = options.attack ?? [];
      const load = (file: string) => readRecording(resolve(io.cwd, file));
      const specs = attacks.map((spec) => readFlag("--attack", spec, (text) => parseAttack(text, load)));
      const program = readFlag("--attack", attacks.join(" "), () => programOf(specs));

      const recording = new Recording();
      const files = openFiles(options, io, recording);
      const failed = subscribe(recording, [showEntries(recording, out), ...files.writers]);
      try {
        const playsServer = specs.some(({ plan }) => plan.kind === "server");
        const proxy = await createProxy({
          ...listen,
          upstream: playsServer ? null : upstream,
          program,
          recording,
        });
        try {
          begin(out, proxy, playsServer ? null : upstream, specs);
          const clients = specs.map(({ plan }) =>
            plan.kind === "client" ? playRecorded(plan.frames, upstream, recording, io.stop) : null,
          );
          await Promise.race([stopped(io), failed]);
          await Promise.all(clients);
        } finally {
          await proxy.close();
        }
        // The last entries may be those that could not be written.
        await Promise.race([failed, Promise.resolve()]);
      } finally {
        files.close();
      }
      if (io.stoppedBy() === "SIGINT") throw new InterruptedError();
    });
}

function collect(spec: string, before: readonly string[] = []): string[] {
  return [...before, spec];
}

function helpLines(): string[] {
  return [
    "Examples:",
    "  pawl proxy --attack replay:frame=3",
    "  pawl proxy --attack flip:opcode=DATA,field=tag --attack delay:opcode=AGGREGATE,ms=500",
    "  pawl proxy --listen 127.0.0.1:9000 --upstream 127.0.0.1:7433 --record run.jsonl --pcap run.pcapng",
    "  pawl proxy --attack splice:from=run.jsonl,frame=3,at=3",
    "",
    ...attackHelp(),
  ];
}

function openFiles({ record, pcap, attack = [] }: Options, io: Io, recording: Recording) {
  const files: GrowingFile[] = [];
  const open = (name: string) => {
    const file = new GrowingFile(resolve(io.cwd, name));
    files.push(file);
    return file;
  };
  const close = () => {
    for (const file of files.splice(0)) file.close();
  };
  try {
    const writers: ((entry: Entry) => void)[] = [];
    if (record !== undefined) writers.push(writeLines(open(record), recording));
    if (pcap !== undefined)
      writers.push(writePackets(open(pcap), attack.join(" ") || "pawl proxy", recording));
    return { writers, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Tells each of every entry, until one of them fails: rejects with its error then. */
function subscribe(recording: Recording, listeners: readonly ((entry: Entry) => void)[]): Promise<never> {
  const failed = new Promise<never>((_resolve, reject) => {
    const stop = recording.onEntry((entry) => {
      try {
        for (const listener of listeners) listener(entry);
      } catch (error) {
        stop();
        reject(error);
      }
    });
  });
  // Nobody may be waiting for it yet.
  failed.catch(() => {});
  return failed;
}

function showEntries({ startedAt }: Recording, out: Output): (entry: Entry) => void {
  return (entry) => {
    out.object(objectOfEntry(entry, startedAt));
    if (isSilent(entry)) return;
    const { text, tone } = lineOfEntry(entry, startedAt);
    out.line(tone === "plain" ? text : tone === "done" ? out.red(text) : out.dim(text));
  };
}

function begin(out: Output, at: Address, upstream: Address | null, specs: readonly AttackSpec[]): void {
  out.object({
    type: "listening",
    host: at.host,
    port: at.port,
    upstream,
    attacks: specs.map(({ text }) => text),
  });
  const where = upstream === null ? "as the server" : `in front of ${formatAddress(upstream)}`;
  out.line(`pawl proxy on ${formatAddress(at)}, ${where}; ^C ends it`);
  for (const { text } of specs) out.line(`attack: ${text}`);
}

/** The attacker plays a recorded client to the server; what came of it is a note. */
async function playRecorded(
  frames: readonly ObservedFrame[],
  upstream: Address,
  recording: Recording,
  stop: AbortSignal,
): Promise<void> {
  try {
    const attacker = await AttackerConnection.open(recording, upstream);
    const abandon = () => attacker.destroy();
    stop.addEventListener("abort", abandon, { once: true });
    const reaction = await playClient(attacker, frames);
    recording.note(describeReaction(reaction), attacker.id);
    attacker.end("fin");
  } catch (error) {
    recording.note(`the server cannot be reached: ${error instanceof Error ? error.message : error}`);
  }
}
