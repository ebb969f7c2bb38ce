import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Counts } from "./compare.ts";

/**
 * System calls and bytes of heap for each round trip of 64 bytes, of a server and of its one client, which takes them in lock-step: both
 * as processes of their own, from the build, each under strace.
 */

const PROVIDERS = ["native", "node"] as const;
/** Until V8 has compiled what it will compile: it then allocates less, and always as much. */
const WARM_UP_TRIPS = 10_000;
const TRIPS = 2_000;
/** MiB: room for all of that without a collection, after which nobody knows what was allocated. */
const NEW_SPACE_MIB = 256;
const HEAP = [
  `--min-semi-space-size=${NEW_SPACE_MIB}`,
  `--max-semi-space-size=${NEW_SPACE_MIB}`,
  // Which collects in a process that has been slow for some seconds.
  "--no-memory-reducer",
  "--trace-gc",
];
/** What goes through a socket or waits for one, and randomness. What V8's threads do among themselves differs each time. */
const CALLS = {
  read: ["read", "readv", "recvfrom", "recvmsg"],
  write: ["write", "writev", "sendto", "sendmsg"],
  epoll: ["epoll_wait", "epoll_pwait", "epoll_ctl"],
  getrandom: ["getrandom"],
} as const;

const PEER = new URL("./peer.ts", import.meta.url).pathname;

interface Mark {
  readonly heapBytes: number;
  readonly externalBytes: number;
}

export async function roundTripCounts(): Promise<Counts> {
  const counts: Record<string, number> = {};
  for (const provider of PROVIDERS) Object.assign(counts, await countsOn(provider));
  return counts;
}

async function countsOn(provider: (typeof PROVIDERS)[number]): Promise<Counts> {
  const work = mkdtempSync(join(tmpdir(), "pawl-counts-"));
  const peers: Peer[] = [];
  const start = (...args: string[]) => {
    const peer = new Peer(args, join(work, `${args[0]}.log`), provider);
    peers.push(peer);
    return peer;
  };
  try {
    const server = start("server");
    const { port } = await server.answer<{ port: number }>();
    const client = start("client", String(port));
    await client.answer();
    await client.ask(`trips ${WARM_UP_TRIPS}`);
    await server.mark();
    await client.mark();
    await client.ask(`trips ${TRIPS}`);
    await client.mark();
    await server.mark();
    await client.end();
    await server.end();
    return {
      ...server.counts(`round-trip-${provider}, server`),
      ...client.counts(`round-trip-${provider}, client`),
    };
  } finally {
    await Promise.all(peers.map((peer) => peer.end()));
    rmSync(work, { recursive: true, force: true });
  }
}

class Peer {
  readonly #child;
  readonly #log: string;
  readonly #lines: AsyncIterator<string>;
  readonly #marks: Mark[] = [];
  #collections: string[] = [];
  #ended = false;

  constructor(args: readonly string[], log: string, provider: string) {
    this.#log = log;
    const calls = Object.values(CALLS).flat().join(",");
    this.#child = spawn(
      "strace",
      [
        ...["-f", "--seccomp-bpf", "-e", `trace=${calls}`, "-o", log],
        ...[process.execPath, ...HEAP, "--import", "tsx/esm", PEER, ...args],
      ],
      { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, PAWL_CRYPTO: provider } },
    );
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async answer<T>(): Promise<T> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error("a side of the round trips ended early; what it said stands above");
      if (value.startsWith("{")) return JSON.parse(value) as T;
      // The only other lines are those of --trace-gc.
      this.#collections.push(value);
    }
  }

  ask<T>(line: string): Promise<T> {
    this.#child.stdin.write(`${line}\n`);
    return this.answer<T>();
  }

  /** Between the first and the second of these is what counts. */
  async mark(): Promise<void> {
    const mark = await this.ask<Mark>("mark");
    if (this.#marks.length > 0 && this.#collections.length > 0) {
      throw new Error(`the heap was collected while it was counted: ${this.#collections.join("; ")}`);
    }
    this.#collections = [];
    this.#marks.push(mark);
  }

  /** After `end`, which writes the log out. */
  counts(name: string): Counts {
    const [before, after] = this.#marks;
    if (before === undefined || after === undefined) throw new Error("two marks are due");
    const counts: Record<string, number> = {
      [`${name}: bytes of heap`]: Math.round((after.heapBytes - before.heapBytes) / TRIPS),
      [`${name}: bytes outside the heap`]: Math.round((after.externalBytes - before.externalBytes) / TRIPS),
    };
    const calls = callsBetweenMarks(readFileSync(this.#log, "utf8"));
    for (const [call, names] of Object.entries(CALLS)) {
      const total = names.reduce((sum, each) => sum + (calls.get(each) ?? 0), 0);
      counts[`${name}: ${call} calls`] = Number((total / TRIPS).toFixed(1));
    }
    return counts;
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.stdin.end();
    await closed;
  }
}

/** How often each system call began, from a log of strace, between the two writes of a mark's answer. */
export function callsBetweenMarks(log: string): Map<string, number> {
  const calls = new Map<string, number>();
  let marks = 0;
  for (const line of log.split("\n")) {
    // A call that another thread interrupted has two lines; the second begins with `<...`.
    const call = /^\d+ +(\w+)\(/.exec(line)?.[1];
    if (call === "write" && line.includes('{\\"heapBytes\\":')) marks++;
    else if (call !== undefined && marks === 1) calls.set(call, (calls.get(call) ?? 0) + 1);
  }
  if (marks !== 2) throw new Error(`${marks} marks in the log of strace, not 2`);
  return calls;
}
