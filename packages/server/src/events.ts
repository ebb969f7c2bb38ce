import type { ClientId, Epoch, IdentitySubject, Round, SuiteName, TerminateReason } from "@pawl/protocol";
import type { Clock } from "@pawl/protocol/driver";
import { messageOf } from "./keys/message-of.ts";
import type { ClosedRound } from "./rounds/index.ts";

/** Where a connection's events come from. */
interface OfConnection {
  /** Counts the connections of this server. */
  readonly connection: number;
  readonly remoteAddress: string;
}
interface OfClient extends OfConnection {
  readonly clientId: ClientId;
}

/**
 * What happens in a server, one closed union. Log, metrics, dashboard and lab are subscribers; nothing in here is a
 * secret or the content of a message.
 */
export type ServerHappening =
  | {
      readonly type: "listening";
      readonly host: string;
      readonly port: number;
      /** The name of the provider: `native` or `node`, unless it is the caller's own. */
      readonly crypto: string;
    }
  /** `remotePort` tells it apart from others of the same address, in a capture or in what the other side says. */
  | ({ readonly type: "connection"; readonly remotePort: number } & OfConnection)
  /** HELLO verified, CHALLENGE sent. Who sent it may still be replaying an old HELLO. */
  | ({ readonly type: "handshake"; readonly epoch: Epoch; readonly suite: SuiteName } & OfClient)
  /** The client has proved that it is there. */
  | ({ readonly type: "session-live"; readonly epoch: Epoch; readonly suite: SuiteName } & OfClient)
  | ({
      readonly type: "message";
      readonly round: Round;
      readonly bytes: number;
      readonly cover: boolean;
    } & OfClient)
  | ({
      readonly type: "session-ended";
      readonly clientId: ClientId | null;
      readonly live: boolean;
      readonly cause: "violation" | "terminated" | "end-of-stream" | "deadline" | "lost" | "aborted";
      readonly by: "local" | "peer" | null;
      readonly reason: TerminateReason | null;
    } & OfConnection)
  /** A check of section 1 failed. `authenticated`: the session's client had proved itself before. */
  | ({
      readonly type: "violation";
      readonly code: string;
      readonly error: string;
      readonly phase: string;
      readonly clientId: ClientId | null;
      /** Of HELLO, then of the session; null before. */
      readonly epoch: Epoch | null;
      /** Whom an IdentityError is about; null for every other. */
      readonly subject: IdentitySubject | null;
      readonly authenticated: boolean;
      readonly message: string;
    } & OfConnection)
  /** A HELLO behind the stored epoch: a cloned, restored or replayed client. Anybody can cause it. */
  | ({
      readonly type: "stale-epoch";
      readonly epoch: Epoch;
      readonly stored: Epoch;
      readonly authenticated: false;
    } & OfClient)
  /** Two holders of one secret exist. Only a holder can cause it. */
  | ({
      readonly type: "clone-detected";
      readonly epoch: Epoch;
      readonly stored: Epoch;
      readonly authenticated: true;
    } & OfClient)
  /** A clone was detected, and the server is told to revoke the client then. Its sessions end by themselves. */
  | ({ readonly type: "clone-revoked"; readonly epoch: Epoch } & OfClient)
  /** Alarms that the key database will not have: too many at once, or it took none to the end. */
  | { readonly type: "alarms-unrecorded"; readonly count: number; readonly message: string }
  /** The client's epoch has not moved since `movedAt` (milliseconds since 1970), which the operator finds too long. */
  | { readonly type: "overdue"; readonly clientId: ClientId; readonly movedAt: number }
  | ({ readonly type: "half-open-evicted"; readonly limit: "address" | "all" } & OfConnection)
  | { readonly type: "handshake-throttled"; readonly remoteAddress: string }
  | ({ readonly type: "challenge-budget" } & OfClient)
  | ({ readonly type: "client-cap"; readonly cap: number } & OfClient)
  | ({
      readonly type: "slow-reader";
      readonly queuedBytes: number;
      readonly clientId: ClientId | null;
    } & OfConnection)
  | ({
      readonly type: "commit";
      readonly purpose: "catch-up" | "first-packet";
      readonly outcome: "done" | "lost" | "unknown";
      readonly latencyMs: number;
    } & OfClient)
  | {
      readonly type: "store-error";
      readonly operation: "look-up" | "commit" | "revoke" | "list";
      readonly message: string;
      /** Null where it was for no connection. */
      readonly connection: number | null;
      readonly remoteAddress: string | null;
    }
  /** Commits fail: every HELLO is refused until `store-available`. */
  | { readonly type: "store-unavailable"; readonly message: string }
  | { readonly type: "store-available"; readonly downMs: number }
  /** A HELLO, before anything of it was looked at. */
  | ({ readonly type: "refused"; readonly reason: "store-unavailable" } & OfClient)
  | ({ readonly type: "application-error"; readonly message: string } & OfClient)
  | ({ readonly type: "round" } & ClosedRoundEvent)
  | { readonly type: "listener-error"; readonly message: string }
  /** A worker takes connections from now on. */
  | { readonly type: "worker-started"; readonly pid: number }
  /** A worker is gone, with its sessions: their clients come back to another one. */
  | {
      readonly type: "worker-ended";
      readonly pid: number | null;
      /** How its process ended, for people: `SIGKILL`, `exit code 1`, or why it could not start. */
      readonly how: string;
      /** When another one is started in its place, milliseconds; null: the server is closing. */
      readonly againInMs: number | null;
    }
  | { readonly type: "closing" }
  | { readonly type: "closed" };

/** As {@link ClosedRound}; `aggregate` is the product. */
type ClosedRoundEvent = Omit<ClosedRound, "product"> & { readonly aggregate: string | null };

/** With the time, in milliseconds since 1970, and the worker that it happened in, where a server has several. */
export type PawlServerEvent = ServerHappening & { readonly at: number; readonly worker?: number };
export type PawlServerEventType = PawlServerEvent["type"];
export type EventOf<T extends PawlServerEventType> = Extract<PawlServerEvent, { type: T }>;

type AnyListener = (event: PawlServerEvent) => void;

/** Which events somebody listens to, so that no others are sent from process to process. */
export interface Interest {
  readonly types: readonly PawlServerEventType[];
  /** Every other type but these; null: no other type. */
  readonly allBut: readonly PawlServerEventType[] | null;
}

/** The one bus of a server. A listener that throws ends nothing: the bus says so in a `listener-error`. */
export class EventBus {
  readonly #clock: Clock;
  readonly #listeners = new Map<PawlServerEventType, Set<AnyListener>>();
  /** Of every type, but for those that are named with each. */
  readonly #any = new Map<AnyListener, ReadonlySet<PawlServerEventType>>();
  #onInterest: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns what ends the subscription. */
  on<T extends PawlServerEventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
    const set = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, set);
    // The bus gives a listener events of its own type alone.
    set.add(listener as AnyListener);
    this.#onInterest();
    return () => {
      set.delete(listener as AnyListener);
      this.#onInterest();
    };
  }

  /** @param options `except`: types that nobody should make an event of for this listener */
  onAny(
    listener: AnyListener,
    options: { readonly except?: readonly PawlServerEventType[] } = {},
  ): () => void {
    this.#any.set(listener, new Set(options.except));
    this.#onInterest();
    return () => {
      this.#any.delete(listener);
      this.#onInterest();
    };
  }

  /** Whether anybody listens: on hot paths the event is not even made otherwise. */
  wants(type: PawlServerEventType): boolean {
    if ((this.#listeners.get(type)?.size ?? 0) > 0) return true;
    for (const except of this.#any.values()) if (!except.has(type)) return true;
    return false;
  }

  get interest(): Interest {
    const types = [...this.#listeners].flatMap(([type, listeners]) => (listeners.size > 0 ? [type] : []));
    const [except] = this.#any.values();
    return { types, allBut: except === undefined ? null : [...except].filter((type) => !this.wants(type)) };
  }

  /** Has one listener told whenever the interest may have changed. */
  watchInterest(listener: () => void): void {
    this.#onInterest = listener;
  }

  /** @param worker the process that it is about; null where that is this one, or all */
  emit(happening: ServerHappening, worker: number | null = null): void {
    if (!this.wants(happening.type)) return;
    const at = this.#clock.now();
    this.publish(worker === null ? { ...happening, at } : { ...happening, at, worker });
  }

  /** Gives listeners an event as it is. */
  publish(event: PawlServerEvent): void {
    for (const listener of this.#listeners.get(event.type) ?? []) this.#tell(listener, event);
    for (const [listener, except] of this.#any) if (!except.has(event.type)) this.#tell(listener, event);
  }

  #tell(listener: AnyListener, event: PawlServerEvent): void {
    try {
      listener(event);
    } catch (error) {
      if (event.type !== "listener-error") this.emit({ type: "listener-error", message: messageOf(error) });
    }
  }
}

/** Passes the events of a bus on to where others listen. */
export class EventRelay {
  readonly #bus: EventBus;
  readonly #send: (event: PawlServerEvent) => void;
  #leave: readonly (() => void)[] = [];

  constructor(bus: EventBus, send: (event: PawlServerEvent) => void) {
    this.#bus = bus;
    this.#send = send;
  }

  /** From now on these are passed on, each once. */
  follow({ types, allBut }: Interest): void {
    for (const leave of this.#leave) leave();
    const send = (event: PawlServerEvent) => this.#send(event);
    this.#leave =
      allBut === null
        ? types.map((type) => this.#bus.on(type, send))
        : [this.#bus.onAny(send, { except: allBut })];
  }
}
