import { Socket } from "node:net";
import { suiteById } from "@pawl/protocol";
import type { MessageHandler } from "../application.ts";
import { Endpoint } from "../endpoint.ts";
import { EventBus, EventRelay, messageOf } from "../events.ts";
import type { KeyStore } from "../keys/store.ts";
import { resolveOptions } from "../options.ts";
import { LinkedRounds, type RoundsReply } from "../rounds/index.ts";
import { CHANNEL_FD, Channel } from "./channel.ts";
import type { Handover } from "./handover.ts";
import { LinkedCommons } from "./linked-commons.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";

/** What a worker has of its own. */
export interface WorkerParts {
  /** The key database that all workers share, opened by this process. Closed when the worker ends. */
  readonly keys: KeyStore;
  /** Answers each message; without it the workers' clients meet in the primary's rounds. */
  readonly onMessage?: MessageHandler;
}

type Start = Extract<ToWorker, { type: "start" }>;

/**
 * The program of a worker, to be called by the script that `createWorkers` was given. The process serves what connections its
 * primary hands over, and ends with it. Signals are the primary's to act on.
 * @param make opens what the worker has of its own, with the `data` that `createWorkers` was given, as JSON has it
 */
export function runWorker(make: (data: unknown, worker: number) => Promise<WorkerParts>): void {
  if (!process.connected) throw new Error("a worker is started by createWorkers of @pawl/server");
  // ^C reaches the whole group, and a service manager may signal every process of a service: the primary drains them.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  process.on("disconnect", endAtOnce);
  let worker: WorkerSide | null = null;
  const channel = new Channel<ToPrimary, ToWorker>(
    new Socket({ fd: CHANNEL_FD, readable: true, writable: true }),
    (message) => {
      if (message.type === "start") void start(message);
      else if (worker !== null) worker.receive(message);
      // Not open yet: there is nothing to drain.
      else if (message.type === "drain") process.exit(0);
    },
    endAtOnce,
  );
  const start = async (message: Start) => {
    try {
      worker = new WorkerSide(channel, message, await make(message.data, message.worker));
    } catch (error) {
      channel.send({ type: "failed", message: messageOf(error) });
      await channel.end();
      process.exit(1);
    }
  };
}

/** Without its primary a worker has no rounds, and nobody who keeps its limits. */
function endAtOnce(): never {
  process.exit(1);
}

/** A worker at work. */
class WorkerSide {
  readonly #channel: Channel<ToPrimary, ToWorker>;
  readonly #keys: KeyStore;
  readonly #endpoint: Endpoint;
  readonly #relay: EventRelay;
  readonly #commons: LinkedCommons;
  /** Null: the worker has a handler of its own. */
  #rounds: LinkedRounds | null = null;
  #lastArrival = 0;
  #draining = false;
  /** Connections that are to be dropped when they arrive. */
  readonly #unwanted = new Set<number>();

  constructor(
    channel: Channel<ToPrimary, ToWorker>,
    { settings, interest, worker }: Start,
    parts: WorkerParts,
  ) {
    this.#channel = channel;
    this.#keys = parts.keys;
    const send = (message: ToPrimary) => channel.send(message);
    const options = resolveOptions({
      ...settings,
      suites: settings.suites.flatMap((id) => suiteById(id) ?? []),
      ...parts,
      ...(parts.onMessage !== undefined
        ? {}
        : {
            roundsBackend: ({ maxMessage }) => {
              this.#rounds = new LinkedRounds(maxMessage, send);
              return this.#rounds;
            },
          }),
    });
    const events = new EventBus(options.clock);
    this.#relay = new EventRelay(events, (event) => send({ type: "event", event: { ...event, worker } }));
    this.#relay.follow(interest);
    this.#commons = new LinkedCommons(send);
    this.#endpoint = new Endpoint(options, events, this.#commons);
    process.on("message", (message: Handover, socket?: Socket) => this.#take(message, socket));
    send({ type: "ready", crypto: options.crypto.name });
  }

  receive(message: Exclude<ToWorker, Start>): void {
    switch (message.type) {
      case "standing":
        this.#commons.answered(message.ask, message.standing);
        return;
      case "terminate":
        this.#endpoint.find(message.id)?.terminate(message.reason);
        return;
      case "epoch-moved":
        this.#endpoint.find(message.id)?.epochMoved();
        return;
      case "abort":
        // It may be on its way still.
        if (message.id > this.#lastArrival) this.#unwanted.add(message.id);
        else this.#endpoint.find(message.id)?.abort();
        return;
      case "interest":
        this.#relay.follow(message.interest);
        return;
      case "suspect-store":
        this.#endpoint.health.suspect();
        return;
      case "sessions":
        this.#channel.send({ type: "sessions", ask: message.ask, sessions: this.#endpoint.sessions() });
        return;
      case "drain":
        void this.#drain(message.graceMs);
        return;
      default:
        this.#rounds?.receive(message satisfies RoundsReply);
    }
  }

  #take({ arrival }: Handover, socket: Socket | undefined): void {
    this.#lastArrival = arrival.id;
    // It was closed while it was on its way, or the server is closing.
    if (socket === undefined || this.#draining) {
      socket?.destroy();
      this.#channel.send({ type: "ended", id: arrival.id });
      return;
    }
    // As those that are accepted here would be: the end of one direction is for the session to answer.
    socket.allowHalfOpen = true;
    const connection = this.#endpoint.open(socket, arrival);
    if (this.#unwanted.delete(arrival.id)) connection.abort();
  }

  async #drain(graceMs: number): Promise<void> {
    this.#draining = true;
    await this.#endpoint.drain(graceMs);
    await this.#keys.close();
    await this.#channel.end();
    process.exit(0);
  }
}
