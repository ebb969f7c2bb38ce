import type { ClientId, TerminateReason } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import type { Member } from "../commons.ts";
import type { Arrival } from "../door.ts";
import type { SessionInfo } from "../endpoint.ts";
import type { EventBus } from "../events.ts";
import { RecordsSeat } from "../keys/records-seat.ts";
import type { RecordStore } from "../keys/store.ts";
import type { OwnCommons } from "../own-commons.ts";
import { generationOf, type Rounds, RoundsSeat } from "../rounds/index.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";

/** How long a worker may take to say what sessions it has, in milliseconds. */
const ANSWER_MS = 5_000;

/** What is the primary's, and all workers have in common. */
export interface Shared {
  readonly keys: RecordStore;
  readonly commons: OwnCommons;
  readonly rounds: Rounds<RoundsSeat>;
  readonly events: EventBus;
}

/** What a worker says once, and who started it waits for, is handled there. */
type SeatMessage = Exclude<ToPrimary, { type: "ready" | "failed" }>;

/** A connection that a worker has. */
class RemoteMember implements Member {
  readonly id: number;
  readonly remoteAddress: string;
  readonly limitKey: string;
  readonly worker: number;
  clientId: ClientId | null = null;
  live = false;
  readonly #seat: WorkerSeat;

  constructor(seat: WorkerSeat, { id, remoteAddress, limitKey }: Arrival) {
    this.id = id;
    this.remoteAddress = remoteAddress;
    this.limitKey = limitKey;
    this.worker = seat.worker;
    this.#seat = seat;
  }

  terminate(reason: TerminateReason): void {
    this.#seat.terminate(this.id, reason);
  }

  epochMoved(): void {
    this.#seat.send({ type: "epoch-moved", id: this.id });
  }

  abort(): void {
    this.#seat.abort(this.id);
  }
}

/** The primary's side of one worker: does with what is shared as the worker says. */
export class WorkerSeat {
  readonly worker: number;
  readonly send: (message: ToWorker) => void;
  readonly #shared: Shared;
  readonly #drop: (id: number) => void;
  readonly #records: RecordsSeat;
  readonly #rounds: RoundsSeat;
  readonly #members = new Map<number, RemoteMember>();
  readonly #asks = new Map<number, (sessions: readonly SessionInfo[]) => void>();
  #asked = 0;

  /** @param drop closes a connection that the worker has not got yet */
  constructor(worker: number, shared: Shared, send: (message: ToWorker) => void, drop: (id: number) => void) {
    this.worker = worker;
    this.send = send;
    this.#shared = shared;
    this.#drop = drop;
    this.#records = new RecordsSeat(shared.keys, send);
    this.#rounds = new RoundsSeat(shared.rounds, send);
  }

  /** Connections that it has. */
  get connections(): number {
    return this.#members.size;
  }

  /** A connection is to be handed over to it. */
  arrived(arrival: Arrival): void {
    const member = new RemoteMember(this, arrival);
    this.#members.set(arrival.id, member);
    this.#shared.commons.arrived(member);
  }

  /** None where the worker does not answer in time. */
  sessions(clock: Clock): Promise<readonly SessionInfo[]> {
    const ask = ++this.#asked;
    return new Promise((resolve) => {
      const cancel = clock.after(ANSWER_MS, () => this.#answered(ask, []));
      this.#asks.set(ask, (sessions) => {
        cancel();
        resolve(sessions);
      });
      this.send({ type: "sessions", ask });
    });
  }

  #answered(ask: number, sessions: readonly SessionInfo[]): void {
    const resolve = this.#asks.get(ask);
    this.#asks.delete(ask);
    resolve?.(sessions);
  }

  /** Also where the worker is too busy to read what it is told. */
  abort(id: number): void {
    this.send({ type: "abort", id });
    this.#drop(id);
  }

  /**
   * Said first, so that what rounds have to say of it comes after: the worker ends the session before it could answer a
   * message that somebody else's has replaced.
   */
  terminate(id: number, reason: TerminateReason): void {
    this.send({ type: "terminate", id, reason });
    this.#rounds.expel(id);
  }

  /** Part of the stream of its commits. */
  commits(chunk: Uint8Array): void {
    this.#records.commits(chunk);
  }

  receive(message: SeatMessage): void {
    const { commons, events } = this.#shared;
    switch (message.type) {
      case "standing": {
        const { type, ask, ...hello } = message;
        this.send({ type, ask, standing: commons.standing(hello) });
        return;
      }
      case "charge":
        commons.charge(message.limitKey, message.handshakes);
        return;
      case "buffers":
        this.#with(message.id, (member) => commons.buffers(member, message.bytes));
        return;
      case "greeted": {
        const { type: _, id, generation, ...hello } = message;
        this.#with(id, (member) => {
          member.clientId = hello.clientId;
          commons.greeted(member, {
            ...hello,
            generation: generationOf(generation),
          });
        });
        return;
      }
      case "live":
        this.#with(message.id, (member) => {
          member.live = true;
          commons.becameLive(member);
        });
        return;
      case "ended":
        this.ended(message.id);
        return;
      case "event":
        events.publish(message.event);
        return;
      case "sessions":
        this.#answered(message.ask, message.sessions);
        return;
      case "probe":
        this.#records.receive(message);
        return;
      default:
        this.#rounds.receive(message);
    }
  }

  /** A connection is gone. */
  ended(id: number): void {
    this.#with(id, (member) => {
      this.#members.delete(id);
      this.#rounds.expel(id);
      this.#shared.commons.ended(member);
    });
  }

  /** The worker is gone, and every connection with it, without a word. */
  lost(): void {
    for (const [id, { remoteAddress, clientId, live }] of [...this.#members]) {
      this.ended(id);
      const end = { cause: "lost", by: null, reason: null } as const;
      this.#shared.events.emit(
        { type: "session-ended", connection: id, remoteAddress, clientId, live, ...end },
        this.worker,
      );
    }
    for (const ask of [...this.#asks.keys()]) this.#answered(ask, []);
  }

  #with(id: number, use: (member: RemoteMember) => void): void {
    const member = this.#members.get(id);
    if (member !== undefined) use(member);
  }
}
