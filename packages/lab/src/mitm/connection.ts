import type { Socket } from "node:net";
import { copyOf, type Direction, LENGTH_BYTES } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import { type Action, type Actions, describeActions, listOf } from "./actions.ts";
import { Flow } from "./flow.ts";
import { headerOf, type ObservedFrame } from "./observed.ts";
import { type Program, ProgramRun } from "./program.ts";
import type { EndOfStream, Recording, Side } from "./recording.ts";

const BACK: Readonly<Record<Direction, Direction>> = { c2s: "s2c", s2c: "c2s" };
const SENDER: Readonly<Record<Direction, Side>> = { c2s: "client", s2c: "server" };

/** One connection through the man in the middle, to act on it apart from its frames. */
export class ProxiedConnection {
  /** Counts the connections of the recording, from 1. */
  readonly id: number;
  readonly recording: Recording;
  /** Resolves when both sides are closed. */
  readonly closed: Promise<void>;
  /** Resolves when the server has been reached (or not). */
  readonly ready: Promise<void>;
  readonly #client: Socket;
  readonly #upstream: Socket | null;
  readonly #flows: Readonly<Record<Direction, Flow>>;
  readonly #held: Record<Direction, ObservedFrame[]> = { c2s: [], s2c: [] };
  #frames = 0;
  #isCut = false;

  constructor(parts: {
    client: Socket;
    upstream: Socket | null;
    recording: Recording;
    clock: Clock;
    program: ((connection: ProxiedConnection) => Program) | null;
  }) {
    const { client, upstream, recording, clock, program } = parts;
    this.#client = client;
    this.#upstream = upstream;
    this.recording = recording;
    this.id = recording.connection();
    this.closed = Promise.all([closeOf(client), closeOf(upstream)]).then(() => {});
    this.ready = this.#opened();
    const run = program === null ? null : new ProgramRun(program(this));
    const flow = (direction: Direction, from: Socket | null, to: Socket | null) =>
      new Flow(direction, from, to, clock, {
        onFrame: run === null ? null : (bytes) => this.#see(direction, bytes, run),
        onUnread: (bytes) => this.#unread(direction, bytes),
        onEnd: (how) => this.#ended(direction, how),
      });
    this.#flows = { c2s: flow("c2s", client, upstream), s2c: flow("s2c", upstream, client) };
  }

  /** Bytes of the attacker's, written now. @param note what they are, in a few words */
  inject(direction: Direction, bytes: Uint8Array, note: string): void {
    this.#send(direction, bytes, null, note);
  }

  /** What is held in a direction goes on now. */
  release(direction: Direction): void {
    for (const frame of this.#held[direction].splice(0)) {
      this.#send(direction, frame.bytes, frame.index, "held until now");
    }
  }

  /** Ends both streams: in order (FIN), or at once (RST). */
  cut(how: EndOfStream = "rst"): void {
    this.#isCut = true;
    for (const [side, socket] of [
      ["client", this.#client],
      ["server", this.#upstream],
    ] as const) {
      if (socket === null || socket.destroyed) continue;
      this.recording.add({ kind: "end", connection: this.id, side, how, by: "attacker" });
      if (how === "rst") socket.resetAndDestroy();
      else socket.end();
    }
  }

  async #opened(): Promise<void> {
    const upstream = this.#upstream;
    if (upstream?.connecting) {
      await new Promise<void>((resolve) => {
        upstream.once("connect", () => resolve());
        upstream.once("close", () => resolve());
      });
    }
    const port = upstream?.localPort ?? null;
    const server = upstream === null ? "attacker" : "victim";
    this.recording.add({ kind: "open", connection: this.id, client: "victim", server, port });
  }

  #see(direction: Direction, bytes: Uint8Array, run: ProgramRun): void {
    if (this.#isCut) return;
    const frame: ObservedFrame = {
      connection: this.id,
      index: ++this.#frames,
      direction,
      bytes,
      header: headerOf(copyOf(bytes, LENGTH_BYTES)),
    };
    const actions = run.of(frame);
    this.recording.add({ kind: "seen", ...frame, did: describeActions(actions) });
    this.#carryOut(frame, actions);
  }

  #carryOut(frame: ObservedFrame, actions: Actions): void {
    const flow = this.#flows[frame.direction];
    for (const action of listOf(actions)) {
      if (action.do === "delay") flow.pauseFor(action.ms);
      flow.inTurn(() => this.#act(frame, action));
    }
  }

  #act(frame: ObservedFrame, action: Action): void {
    const { direction, bytes, index } = frame;
    switch (action.do) {
      case "pass":
        this.#send(direction, bytes, index, null);
        return;
      case "delay":
        this.#send(direction, bytes, index, `${action.ms} ms late`);
        return;
      case "repeat":
        this.#send(direction, bytes, index, null);
        for (let copy = 1; copy <= action.copies; copy++) this.#send(direction, bytes, null, "a copy");
        return;
      case "replace":
        for (const other of action.by) this.#send(direction, other, index, action.note);
        return;
      case "hold":
        this.#held[direction].push(frame);
        return;
      case "release":
        this.release(direction);
        return;
      case "reflect":
        this.#send(BACK[direction], bytes, null, "reflected");
        return;
      case "inject":
        this.#send(action.direction, action.bytes, null, action.note);
        return;
      case "cut":
        if (action.after > 0)
          this.#send(direction, copyOf(bytes, 0, action.after), index, `the first ${action.after} bytes`);
        this.cut(action.how);
        return;
      default:
        action satisfies never;
    }
  }

  #send(direction: Direction, bytes: Uint8Array, of: number | null, note: string | null): void {
    if (this.#isCut) return;
    this.recording.add({ kind: "sent", connection: this.id, direction, bytes, of, note });
    this.#flows[direction].write(bytes);
  }

  #unread(direction: Direction, bytes: Uint8Array): void {
    this.#flows[direction].inTurn(() => {
      if (this.#isCut) return;
      this.recording.add({ kind: "unread", connection: this.id, direction, bytes });
      this.#flows[direction].write(bytes);
    });
  }

  #ended(direction: Direction, how: EndOfStream): void {
    if (this.#isCut) return;
    const side = SENDER[direction];
    this.recording.add({ kind: "end", connection: this.id, side, how, by: "victim" });
    const to = direction === "c2s" ? this.#upstream : this.#client;
    if (to === null) return;
    if (how === "rst") to.resetAndDestroy();
    else this.#flows[direction].inTurn(() => to.end());
  }
}

/** Whatever closed it: `once` would reject at an error that comes before. */
function closeOf(socket: Socket | null): Promise<void> {
  return new Promise((resolve) => {
    if (socket === null || socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  });
}
