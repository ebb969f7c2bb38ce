import { FrameReader, type ProtocolError } from "@pawl/protocol";
import { type ClientPeer, type ServerPeer, violationOf } from "../packages/protocol/src/testing/peers.ts";
import {
  type NegativeVectors,
  type PacketsVectors,
  readVectors,
  type SessionVector,
  type StateVector,
} from "./load.ts";
import { databaseOf, Play, suiteOf } from "./play.ts";

/** Puts a session into a state of negative.json, and gives it bytes as a driver would. */

const negative = readVectors<NegativeVectors>("negative");
const sessions = new Map(readVectors<PacketsVectors>("packets").sessions.map((s) => [s.id, s]));

export function sessionVector(id: string): SessionVector {
  const session = sessions.get(id);
  if (session === undefined) throw new RangeError(`no session ${id}`);
  return session;
}

const REACHING: Record<string, readonly string[]> = {
  "server ready": ["HELLO", "CHALLENGE", "DATA1", "AGGREGATE1"],
  "client wait-aggregate": ["HELLO", "CHALLENGE", "DATA1"],
  "server terminated": ["HELLO", "CHALLENGE", "DATA1", "AGGREGATE1"],
  "client terminated": ["HELLO", "CHALLENGE", "DATA1"],
};

/** A receiver in a given state, with what it did since it came there. */
export class Receiver {
  readonly state: StateVector;
  readonly peer: ServerPeer | ClientPeer;
  readonly #reader = new FrameReader();
  readonly #sentBefore: number;
  readonly #commitsBefore: number;

  constructor(id: string) {
    const state = negative.states.find((s) => s.id === id);
    if (state === undefined) throw new RangeError(`no state ${id}`);
    this.state = state;
    const suite = suiteOf(state.suite);
    const normal = `${suite.name}/normal`;
    const play = new Play(sessionVector(state.session ?? normal), {
      runs: state.runs ?? [1, 2, 3],
      database: databaseOf(negative.database),
    });
    play.through(state.after ?? REACHING[`${state.role} ${state.phase}`] ?? []);
    this.peer = state.role === "server" ? play.server : play.client;
    const { rx, tx, c2s, s2c } = state;
    if (
      state.session === null &&
      rx !== undefined &&
      tx !== undefined &&
      c2s !== undefined &&
      s2c !== undefined
    ) {
      const [receives, sends] = state.role === "server" ? [c2s, s2c] : [s2c, c2s];
      play.steer(state.role, suite, { rx, tx, receives, sends });
    }
    if (state.phase === "terminated") this.peer.terminate("done");
    this.#sentBefore = this.peer.sent.length;
    this.#commitsBefore = this.peer.commits.length;
  }

  get frameLimit(): number {
    return this.peer.session.frameLimit;
  }
  get sent(): Uint8Array[] {
    return this.peer.sent.slice(this.#sentBefore);
  }
  get commits(): [number, number][] {
    return this.peer.commits.slice(this.#commitsBefore).map(({ from, to }) => [from, to]);
  }
  get violation(): string | null {
    return violationOf(this.peer.end);
  }

  /** Bytes of the stream, as they come. */
  feed(chunk: Uint8Array): void {
    this.#reader.push(chunk);
    try {
      for (;;) {
        const packet = this.#reader.next(this.frameLimit);
        if (packet === null) return;
        this.peer.handle({ type: "packet", packet });
        if (this.peer.session.ended) return;
      }
    } catch (error) {
      if ((error as Error).name !== "FrameError") throw error;
      this.peer.handle({ type: "frame-error", error: error as ProtocolError & { code: "PAWL_FRAME" } });
    }
  }

  close(): void {
    this.peer.handle({ type: "end-of-stream" });
  }
}
