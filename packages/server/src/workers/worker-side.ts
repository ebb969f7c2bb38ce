import type { Socket } from "node:net";
import { suiteById } from "@pawl/protocol";
import { systemClock } from "@pawl/protocol/driver";
import type { MessageHandler } from "../application.ts";
import { Endpoint } from "../endpoint.ts";
import { EventBus, EventRelay } from "../events.ts";
import { LinkedRecords, type RecordsLink, type RecordsReply } from "../keys/linked-records.ts";
import type { RecordSource } from "../keys/store.ts";
import { resolveOptions } from "../options.ts";
import { LinkedRounds, type RoundsReply } from "../rounds/index.ts";
import type { Channel } from "./channel.ts";
import type { Handover } from "./handover.ts";
import { LinkedCommons } from "./linked-commons.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";

/** What a worker has of its own. */
export interface WorkerParts {
  /** The key database that all workers share, opened by this process, for reading. Closed when the worker ends. */
  readonly records: RecordSource;
  /** Answers each message; without it the workers' clients meet in the primary's rounds. */
  readonly onMessage?: MessageHandler;
}

/** What the primary says first. */
export type Start = Extract<ToWorker, { type: "start" }>;

/** A worker at work. */
export class WorkerSide {
  readonly #channel: Channel<ToPrimary, ToWorker>;
  readonly #source: RecordSource;
  readonly #records: LinkedRecords;
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
    commits: RecordsLink["commits"],
    { settings, interest, worker }: Start,
    { records, onMessage }: WorkerParts,
  ) {
    this.#channel = channel;
    this.#source = records;
    const send = (message: ToPrimary) => channel.send(message);
    this.#records = new LinkedRecords(records, systemClock, { commits, send });
    const options = resolveOptions({
      ...settings,
      suites: settings.suites.flatMap((id) => suiteById(id) ?? []),
      keys: this.#records,
      clock: systemClock,
      ...(onMessage !== undefined
        ? { onMessage }
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
      case "committed":
      case "commit-failed":
      case "probed":
        this.#records.receive(message satisfies RecordsReply);
        return;
      default:
        this.#rounds?.receive(message satisfies RoundsReply);
    }
  }

  #take({ arrival }: Handover, socket: Socket | undefined): void {
    this.#lastArrival = arrival.id;
    const unwanted = this.#unwanted.delete(arrival.id);
    // It was closed while it was on its way, or the server is closing.
    if (socket === undefined || this.#draining) {
      socket?.destroy();
      this.#channel.send({ type: "ended", id: arrival.id });
      return;
    }
    // As those that are accepted here would be: the end of one direction is for the session to answer.
    socket.allowHalfOpen = true;
    const connection = this.#endpoint.open(socket, arrival);
    if (unwanted) connection.abort();
  }

  /** Drops every connection at once. */
  abort(): void {
    this.#endpoint.abort();
  }

  async #drain(graceMs: number): Promise<void> {
    this.#draining = true;
    try {
      await this.#endpoint.drain(graceMs);
    } finally {
      await this.#source.close();
      await this.#channel.end();
      process.exit(0);
    }
  }
}
