import type { Socket } from "node:net";
import { copyOf, type Direction } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import { type Action, type Actions, describeActions, drop, listOf } from "./actions.ts";
import { Flow } from "./flow.ts";
import { type ObservedFrame, observe } from "./observed.ts";
import { type Program, ProgramRun } from "./program.ts";
import type { EndOfStream, Recording, Side } from "./recording.ts";
import { reset } from "./reset.ts";

const BACK: Readonly<Record<Direction, Direction>> = { c2s: "s2c", s2c: "c2s" };
const SENDER: Readonly<Record<Direction, Side>> = { c2s: "client", s2c: "server" };
const RECEIVER: Readonly<Record<Direction, Side>> = { c2s: "server", s2c: "client" };

/** One connection through the man in the middle, to act on it apart from its frames. */
export class ProxiedConnection {
  /** Counts the connections of the recording, from 1. */
  readonly id: number;
  readonly recording: Recording;
  /** Resolves when both sides are closed. */
  readonly closed: Promise<void>;
  readonly #sockets: Readonly<Record<Side, Socket | null>>;
  readonly #flows: Readonly<Record<Direction, Flow>>;
  readonly #run: ProgramRun | null = null;
  readonly #held: Record<Direction, ObservedFrame[]> = { c2s: [], s2c: [] };
  #frames = 0;
  #isCut = false;

  /** @param parts.upstream connected; null where the attacker plays the server */
  constructor(parts: {
    client: Socket;
    upstream: Socket | null;
    recording: Recording;
    clock: Clock;
    program: ((connection: ProxiedConnection) => Program) | null;
  }) {
    const { client, upstream, recording, clock, program } = parts;
    this.#sockets = { client, server: upstream };
    this.recording = recording;
    this.id = recording.connection();
    this.closed = Promise.all([closeOf(client), closeOf(upstream)]).then(() => this.#stop());
    const server = upstream === null ? "attacker" : "victim";
    const port = upstream?.localPort ?? null;
    recording.add({ kind: "open", connection: this.id, client: "victim", server, port });
    const flow = (direction: Direction) =>
      new Flow(this.#sockets[SENDER[direction]], this.#sockets[RECEIVER[direction]], clock, {
        onFrame: program === null ? null : (bytes) => this.#see(direction, bytes),
        onUnread: (bytes) => this.#unread(direction, bytes),
        onEnd: (how) => this.#ended(direction, how),
      });
    this.#flows = { c2s: flow("c2s"), s2c: flow("s2c") };
    if (program === null) return;
    try {
      this.#run = new ProgramRun(program(this));
    } catch (error) {
      this.#fail(error);
    }
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

  /**
   * Ends both streams: in order (FIN), or at once (RST). What is held or delayed is lost, and nothing passes any more; what
   * the victims still send is written down.
   */
  cut(how: EndOfStream = "rst"): void {
    this.#isCut = true;
    this.#stop();
    for (const side of ["client", "server"] as const) this.#endTowards(side, how);
  }

  #see(direction: Direction, bytes: Uint8Array): void {
    const frame = observe(this.id, ++this.#frames, direction, bytes);
    const actions = this.#isCut ? drop : this.#decide(frame);
    this.recording.add({ kind: "seen", ...frame, did: this.#describe(direction, actions) });
    this.#carryOut(frame, actions);
  }

  #decide(frame: ObservedFrame): Actions {
    try {
      return this.#run?.of(frame) ?? drop;
    } catch (error) {
      this.#fail(error);
      return drop;
    }
  }

  /** What a program throws is the end of its connection, and of nothing else. */
  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.recording.note(`the program of the attack failed: ${message}`, this.id);
    this.cut("rst");
  }

  /** Where he is the receiver himself, nothing passes. */
  #describe(direction: Direction, actions: Actions): string {
    const isReceiver = this.#sockets[RECEIVER[direction]] === null;
    const isQuiet = listOf(actions).every((action) => action.do === "pass");
    return isReceiver && isQuiet ? "received" : describeActions(actions);
  }

  #carryOut(frame: ObservedFrame, actions: Actions): void {
    const flow = this.#flows[frame.direction];
    for (const action of listOf(actions)) {
      if (action.do === "delay") flow.pauseFor(action.ms);
      flow.inTurn(() => this.#act(frame, action), frame.bytes.length);
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
        this.release(action.direction ?? direction);
        return;
      case "reflect":
        this.#send(BACK[direction], bytes, null, "reflected", direction);
        return;
      case "inject":
        this.#send(action.direction, action.bytes, null, action.note, direction);
        return;
      case "cut":
        this.#cutAfter(frame, action.after, action.how);
        return;
      default:
        action satisfies never;
    }
  }

  /** A reset overtakes bytes that are not with the system yet, so it waits for them. */
  #cutAfter({ direction, bytes, index }: ObservedFrame, after: number, how: EndOfStream): void {
    if (this.#isCut) return;
    const flow = this.#flows[direction];
    if (after === 0 || !flow.isOpen) {
      this.cut(how);
      return;
    }
    this.#isCut = true;
    const start = copyOf(bytes, 0, after);
    const note = `the first ${start.length} bytes`;
    this.recording.add({ kind: "sent", connection: this.id, direction, bytes: start, of: index, note });
    flow.write(start, flow, () => this.cut(how));
  }

  /** @param cause the direction of the frame that it follows from */
  #send(direction: Direction, bytes: Uint8Array, of: number | null, note: string | null, cause = direction) {
    // Where the attacker is the receiver, he has it already.
    if (this.#isCut || this.#sockets[RECEIVER[direction]] === null) return;
    const flow = this.#flows[direction];
    if (!flow.isOpen) {
      const what = note ?? `frame ${of}`;
      this.recording.note(`too late to be sent, the ${RECEIVER[direction]} is gone: ${what}`, this.id);
      return;
    }
    this.recording.add({ kind: "sent", connection: this.id, direction, bytes, of, note });
    flow.write(bytes, this.#flows[cause]);
  }

  #unread(direction: Direction, bytes: Uint8Array): void {
    const flow = this.#flows[direction];
    flow.inTurn(() => {
      this.recording.add({ kind: "unread", connection: this.id, direction, bytes });
      if (!this.#isCut && flow.isOpen) flow.write(bytes);
    }, bytes.length);
  }

  #ended(direction: Direction, how: EndOfStream): void {
    const flow = this.#flows[direction];
    const waits = how === "fin" && flow.isDelayed;
    const end = { kind: "end", connection: this.id, side: SENDER[direction], how, by: "victim" } as const;
    this.recording.add(waits ? { ...end, waits } : end);
    if (this.#isCut) return;
    const to = this.#sockets[RECEIVER[direction]];
    if (how === "rst") {
      this.#stop();
      if (to !== null) reset(to);
    } else if (waits) flow.inTurn(() => this.#endTowards(RECEIVER[direction], "fin"));
    else to?.end();
  }

  #endTowards(side: Side, how: EndOfStream): void {
    const socket = this.#sockets[side];
    if (socket === null || socket.destroyed) return;
    if (socket.writable) this.recording.add({ kind: "end", connection: this.id, side, how, by: "attacker" });
    if (how === "rst") reset(socket);
    else socket.end();
  }

  #stop(): void {
    for (const flow of Object.values(this.#flows)) flow.stop();
  }
}

/** Whatever closed it: `once` would reject at an error that comes before. */
function closeOf(socket: Socket | null): Promise<void> {
  return new Promise((resolve) => {
    if (socket === null || socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  });
}
