import type { CallPoint, Strike } from "./injector.ts";
import type { SeededRandom } from "./random.ts";

export type Side = "server" | "client";

/** Where a run sets out: newly enrolled, or from what a crash of both sides left. */
export type Start = "enrolled" | "crashed";

/** One thing that goes wrong in a run. */
export type Fault =
  /** At a call by which one side changes the world. */
  | {
      readonly kind: "call";
      readonly start: Start;
      readonly side: Side;
      readonly at: CallPoint;
      readonly what: Strike;
    }
  /** The connection is reset at one frame: it is lost, arrives in half, or arrives and its answer is lost. */
  | {
      readonly kind: "cut";
      readonly start: Start;
      /** From 1, of both directions together. */
      readonly frame: number;
      readonly where: "before" | "within" | "after";
    }
  /** Wherever they are at that moment. */
  | {
      readonly kind: "instant";
      readonly start: Start;
      readonly victim: Side | "both" | "connection";
      /** Counted from the start of the victim (the client, of both), or from HELLO. */
      readonly since: "start" | "hello";
      readonly ms: number;
    };

/** What one side does in the scenario, in order, as a dry run showed it. */
export interface Dry {
  readonly start: Start;
  readonly calls: Readonly<Record<Side, readonly CallPoint[]>>;
  readonly frames: number;
}

/** Every fault that can be told by its place: each call before and after, each frame. */
export function everyFault(dries: readonly Dry[]): Fault[] {
  return dries.flatMap(({ start, calls, frames }) => {
    const faults: Fault[] = [];
    for (const side of ["server", "client"] as const) {
      for (const at of calls[side].filter(isApart))
        for (const what of strikesAt(at)) faults.push({ kind: "call", start, side, at, what });
    }
    for (let frame = 1; frame <= frames; frame++) {
      for (const where of ["before", "within", "after"] as const)
        faults.push({ kind: "cut", start, frame, where });
    }
    return faults;
  });
}

/** SQLite takes the room of its index, which outlives no process, page by page: the first stands for them all. */
function isApart({ target, call, nth }: CallPoint): boolean {
  return target !== "index" || call !== "write" || nth === 1;
}

function strikesAt({ target, call }: CallPoint): Strike[] {
  const strikes: Strike[] = ["kill-before", "kill-after"];
  if (call === "write") strikes.push("kill-torn");
  if (target !== "socket") strikes.push(call === "write" || call === "open" ? "ENOSPC" : "EIO");
  return strikes;
}

/** A session takes some 100 ms from HELLO, a start some 250 ms. */
const SESSION_MS = 120;
const START_MS = 400;

export function randomFault(random: SeededRandom, starts: readonly Start[], frames: number): Fault {
  const start = starts[random.integer(starts.length)] ?? "enrolled";
  if (random.integer(4) === 0 && frames > 0) {
    const where = random.pick("before", "within", "after");
    return { kind: "cut", start, frame: 1 + random.integer(frames), where };
  }
  const victim = random.pick("server", "client", "both", "connection");
  // A connection is not there before HELLO.
  const since = victim === "connection" ? "hello" : random.pick("hello", "hello", "hello", "start");
  const ms = Math.round(random.next() * (since === "hello" ? SESSION_MS : START_MS) * 10) / 10;
  return { kind: "instant", start, victim, since, ms };
}

/**
 * What `runs` runs do: every fault of `systematic` and the rest at random where there is room, else a sample of both.
 * The same for the same arguments.
 */
export function planRuns(
  runs: number,
  systematic: readonly Fault[],
  dries: readonly Dry[],
  random: SeededRandom,
): Fault[] {
  const room = runs - systematic.length;
  const randomRuns = room > 0 ? room : Math.ceil(runs / 5);
  const chosen = room > 0 ? systematic : random.shuffled(systematic);
  const faults = chosen.slice(0, runs - randomRuns);
  const starts = dries.map(({ start }) => start);
  const frames = Math.max(0, ...dries.map((dry) => dry.frames));
  for (let n = 0; n < randomRuns; n++) faults.push(randomFault(random, starts, frames));
  return faults;
}

/** The kind that a fault is counted under. */
export function kindOf(fault: Fault): string {
  switch (fault.kind) {
    case "call":
      return `${fault.side}: ${fault.at.target} ${fault.at.call}, ${WHAT[fault.what]}`;
    case "cut":
      return `cut ${WHERE[fault.where]}`;
    case "instant":
      return fault.victim === "connection"
        ? "cut at a random instant"
        : `kill ${fault.victim} at a random instant`;
    default:
      return fault satisfies never;
  }
}

/** One line that says exactly what was done. */
export function describeFault(fault: Fault): string {
  const from = fault.start === "crashed" ? "after a crash: " : "";
  switch (fault.kind) {
    case "call":
      return `${from}${fault.side}: ${WHAT[fault.what]} ${fault.at.target} ${fault.at.call} ${fault.at.nth}`;
    case "cut":
      return `${from}cut ${WHERE[fault.where]} ${fault.frame}`;
    case "instant": {
      const what = fault.victim === "connection" ? "cut" : `kill ${fault.victim}`;
      return `${from}${what} ${fault.ms} ms after ${fault.since === "hello" ? "HELLO" : "its start"}`;
    }
    default:
      return fault satisfies never;
  }
}

const WHAT: Readonly<Record<Strike, string>> = {
  "kill-before": "kill before",
  "kill-after": "kill after",
  "kill-torn": "kill in the middle of",
  EIO: "EIO at",
  ENOSPC: "ENOSPC at",
  EROFS: "EROFS at",
};
const WHERE = { before: "before frame", within: "within frame", after: "after frame" } as const;
