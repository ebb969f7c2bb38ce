import type { ClientId, Epoch } from "../bytes.ts";
import { copyOf, wipe } from "../bytes.ts";
import { ClientSession, type ClientSessionOptions } from "../client.ts";
import type { ClientRecord } from "../client-record.ts";
import { defaultCrypto } from "../crypto/default.ts";
import type { ClientEffect, EndCause, ServerEffect } from "../effects.ts";
import type { ClientEvent, ServerEvent } from "../events.ts";
import { EpochSecret } from "../key-schedule.ts";
import { DEFAULT_MAX_MESSAGE, DEFAULT_WINDOW, LENGTH_BYTES } from "../limits.ts";
import type { PaddingPolicy } from "../padding.ts";
import type { TerminateReason } from "../reasons.ts";
import { ServerSession, type ServerSessionOptions } from "../server.ts";
import { SUITES } from "../suites.ts";

/** A pair of sessions without sockets, clocks or files: what a driver does, done at once and in memory. */

export interface Entropy {
  readonly nonce: Uint8Array;
  readonly iv: Uint8Array;
}

/** The same bytes for the same seed; not random, and not meant to be. */
export function countedEntropy(seed = 1): () => Entropy {
  let counter = 0;
  return () => {
    counter++;
    const hash = (label: number) =>
      defaultCrypto().sha256(Uint8Array.of(label, seed >>> 8, seed, counter >>> 8, counter));
    return { nonce: hash(1), iv: hash(2).subarray(0, 16) };
  };
}

/** One durable write, as it was made. */
export interface MadeCommit {
  readonly from: number;
  readonly to: number;
  readonly secret: Uint8Array;
}

/** The server's records, with the compare-and-set of section 4.5.4. */
export class TestDatabase {
  readonly records = new Map<number, ClientRecord>();
  /** What the next commits do instead of what they should. */
  readonly faults: ("unknown" | "lost")[] = [];

  put(record: Partial<ClientRecord> & Pick<ClientRecord, "clientId" | "suite" | "secret">): void {
    this.records.set(record.clientId, {
      generation: 1n,
      epoch: 0 as Epoch,
      accepted: null,
      window: DEFAULT_WINDOW,
      revoked: false,
      ...record,
      secret: copyOf(record.secret),
    });
  }

  read(clientId: ClientId): ClientRecord | null {
    const record = this.records.get(clientId);
    return record === undefined ? null : { ...record, secret: copyOf(record.secret) };
  }

  commit(effect: Extract<ServerEffect, { type: "commit" }>): "done" | "lost" | "unknown" {
    const fault = this.faults.shift();
    if (fault !== undefined) return fault;
    const record = this.records.get(effect.clientId);
    if (
      record === undefined ||
      record.revoked ||
      record.generation !== effect.expected.generation ||
      record.epoch !== effect.expected.epoch
    ) {
      return "lost";
    }
    this.records.set(effect.clientId, {
      ...record,
      epoch: effect.next.epoch,
      secret: copyOf(effect.next.secret),
      accepted: effect.accepted ?? record.accepted,
      window: effect.accepted === null ? record.window : DEFAULT_WINDOW,
    });
    return "done";
  }
}

type Report = Extract<ServerEffect, { type: "stale-epoch" | "clone-detected" | "live" | "set-deadline" }>;
type Delivered = Extract<ServerEffect, { type: "deliver" }>;

/** A server's connection. */
export class ServerPeer {
  readonly session: ServerSession;
  readonly database: TestDatabase;
  readonly sent: Uint8Array[] = [];
  readonly commits: MadeCommit[] = [];
  readonly reports: Report[] = [];
  readonly delivered: Delivered[] = [];
  entropy: () => Entropy;
  end: EndCause | null = null;
  /** Holds the answers to look-ups and commits back until `answerPending`. */
  hold = false;
  #pending: ServerEffect | null = null;

  constructor(
    database: TestDatabase,
    options: Partial<ServerSessionOptions> & { session?: ServerSession } = {},
    entropy = countedEntropy(2),
  ) {
    this.database = database;
    this.entropy = entropy;
    this.session =
      options.session ??
      new ServerSession({
        crypto: defaultCrypto(),
        suites: SUITES,
        maxMessage: DEFAULT_MAX_MESSAGE,
        ...options,
      });
  }

  get pending(): ServerEffect | null {
    return this.#pending;
  }

  /** A frame with its length. */
  receive(frame: Uint8Array): void {
    this.handle({ type: "packet", packet: copyOf(frame, LENGTH_BYTES) });
  }

  answer(message: Uint8Array, padding?: PaddingPolicy): void {
    const { iv } = this.entropy();
    this.handle({ type: "answer", message, iv, ...(padding === undefined ? {} : { padding }) });
  }

  terminate(reason: TerminateReason): void {
    this.handle({ type: "terminate", reason, iv: this.entropy().iv });
  }

  handle(event: ServerEvent): void {
    for (const effect of this.session.handle(event)) this.#carryOut(effect);
  }

  answerPending(): void {
    const effect = this.#pending;
    this.#pending = null;
    if (effect !== null) this.#answerEffect(effect);
  }

  #carryOut(effect: ServerEffect): void {
    switch (effect.type) {
      case "send":
        this.sent.push(effect.frame);
        return;
      case "deliver":
        this.delivered.push(effect);
        return;
      case "end":
        this.end = effect.cause;
        return;
      case "look-up":
      case "derive":
      case "commit":
        if (this.hold) this.#pending = effect;
        else this.#answerEffect(effect);
        return;
      default:
        this.reports.push(effect);
    }
  }

  #answerEffect(effect: ServerEffect): void {
    if (effect.type === "look-up") {
      const record = this.database.read(effect.clientId);
      this.handle({ type: "found", record, live: false, ...this.entropy() });
    } else if (effect.type === "derive") {
      const { suite, clientId, from, to, secret } = effect;
      const at = new EpochSecret(defaultCrypto(), suite, clientId, from, secret);
      this.handle({ type: "derived", secret: at.forward(to).copy(), ...this.entropy() });
    } else if (effect.type === "commit") {
      const outcome = this.database.commit(effect);
      if (outcome === "done") {
        this.commits.push({
          from: effect.expected.epoch,
          to: effect.next.epoch,
          secret: copyOf(effect.next.secret),
        });
      }
      wipe(effect.next.secret);
      const current = this.database.read(effect.clientId);
      const entropy = this.entropy();
      if (outcome === "lost") this.handle({ type: "committed", outcome, current, ...entropy });
      else this.handle({ type: "committed", outcome, ...entropy });
    }
  }
}

/** What a client has stored. */
export interface StoredCredential {
  epoch: Epoch;
  secret: Uint8Array;
  last: Uint8Array;
}

/** A client's connection. */
export class ClientPeer {
  readonly session: ClientSession;
  readonly stored: StoredCredential;
  readonly sent: Uint8Array[] = [];
  readonly commits: MadeCommit[] = [];
  readonly delivered: Extract<ClientEffect, { type: "deliver" }>[] = [];
  entropy: () => Entropy;
  end: EndCause | null = null;
  maxMessage: number | null = null;
  hold = false;

  constructor(
    options: Omit<ClientSessionOptions, "crypto"> & { session?: ClientSession },
    entropy = countedEntropy(1),
  ) {
    this.entropy = entropy;
    this.stored = { epoch: options.epoch, secret: copyOf(options.secret), last: copyOf(options.last) };
    this.session =
      options.session ??
      new ClientSession({ crypto: defaultCrypto(), ...options, secret: copyOf(options.secret) });
  }

  start(): void {
    this.handle({ type: "start", ...this.entropy() });
  }

  receive(frame: Uint8Array): void {
    this.handle({ type: "packet", packet: copyOf(frame, LENGTH_BYTES) });
  }

  send(message: Uint8Array, kind: "message" | "cover" = "message", padding?: PaddingPolicy): void {
    const { iv } = this.entropy();
    this.handle({ type: "send", message, kind, iv, ...(padding === undefined ? {} : { padding }) });
  }

  terminate(reason: TerminateReason): void {
    this.handle({ type: "terminate", reason, iv: this.entropy().iv });
  }

  handle(event: ClientEvent): void {
    for (const effect of this.session.handle(event)) this.#carryOut(effect);
  }

  #carryOut(effect: ClientEffect): void {
    switch (effect.type) {
      case "send":
        this.sent.push(effect.frame);
        return;
      case "deliver":
        this.delivered.push(effect);
        return;
      case "ready":
        this.maxMessage = effect.maxMessage;
        return;
      case "end":
        this.end = effect.cause;
        return;
      case "commit": {
        const { expected, next } = effect;
        this.commits.push({ from: expected.epoch, to: next.epoch, secret: copyOf(next.secret) });
        Object.assign(this.stored, {
          epoch: next.epoch,
          secret: copyOf(next.secret),
          last: copyOf(next.last),
        });
        if (!this.hold) this.handle({ type: "committed", outcome: "done" });
        return;
      }
      default:
        effect satisfies never;
    }
  }
}

/** The class name of a violation, else null. */
export function violationOf(end: EndCause | null): string | null {
  return end?.kind === "violation" ? end.error.name : null;
}
