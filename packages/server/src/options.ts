import {
  type CryptoProvider,
  DEFAULT_MAX_MESSAGE,
  defaultCrypto,
  FIRST_PACKET_DEADLINE_MS,
  HELLO_DEADLINE_MS,
  MAX_U32,
  MIN_MAX_MESSAGE,
  NO_PADDING,
  type PaddingPolicy,
  STRICT_SUITES,
  type Suite,
} from "@pawl/protocol";
import { type Clock, type Random, systemClock, systemRandom } from "@pawl/protocol/driver";
import type { MessageHandler } from "./application.ts";
import { OptionError } from "./errors.ts";
import type { KeyStore, RecordStore } from "./keys/store.ts";
import { LocalRounds, REDUCER_NAMES, type RoundsBackendFactory, type RoundsOptions } from "./rounds/index.ts";

export const ON_CLONE = ["alert", "revoke"] as const;
export type OnClone = (typeof ON_CLONE)[number];

export interface ServerOptions {
  readonly keys: KeyStore;
  /** Those that this server runs: `strict` and `strict-gcm` unless given. Classic only where it is listed. */
  readonly suites?: readonly Suite[];
  /** Answers each message. Without it the server runs rounds. */
  readonly onMessage?: MessageHandler;
  readonly rounds?: RoundsOptions;
  /** Where rounds take place: in this process, as `rounds` says, unless given. */
  readonly roundsBackend?: RoundsBackendFactory;
  /** Bytes, 4 KiB … 2³²−1; 1 MiB unless given. */
  readonly maxMessage?: number;
  /** For AGGREGATE. */
  readonly padding?: PaddingPolicy;
  /** Clients that may be live at once; 100 unless given. */
  readonly maxClients?: number;
  readonly limits?: Partial<ServerLimits>;
  readonly rotation?: RotationOptions;
  /** What follows when two holders of one secret are there: an alarm, unless given; or that client is revoked as well. */
  readonly onClone?: OnClone;
  /** Tells of clients whose epoch has not moved for so long, milliseconds. Of none unless given. */
  readonly overdueAfterMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly crypto?: CryptoProvider;
}

/**
 * When a strict session is ended with TERMINATE (renew), so that its client comes back at the next epoch and a key that
 * is taken opens less. Never unless given.
 */
export interface RotationOptions {
  /** Of a live session, milliseconds. */
  readonly maxSessionAgeMs?: number;
  /** Messages, covers among them; at least 2, since a client may have to open with a cover. */
  readonly maxSessionRounds?: number;
}

/** What protects a server. Each limit has an event. */
export interface ServerLimits {
  /** From accept to HELLO, milliseconds. */
  readonly helloDeadlineMs: number;
  /** From CHALLENGE to the first packet, milliseconds. */
  readonly firstPacketDeadlineMs: number;
  /** Connections that are not live, for an address and in all; the oldest is evicted. */
  readonly halfOpenPerAddress: number;
  readonly halfOpen: number;
  /** Bytes that such connections may have buffered. */
  readonly halfOpenBytesPerAddress: number;
  readonly halfOpenBytes: number;
  /** Token bucket of each address: handshakes a second, and how many at once. */
  readonly handshakesPerSecond: number;
  readonly handshakeBurst: number;
  /** A live session without a message for so long is ended (idle), milliseconds. */
  readonly idleMs: number;
  /** A connection that does not read: bytes that may wait for it, and for how long, milliseconds. */
  readonly queuedBytes: number;
  readonly queuedMs: number;
}

/** @param maxMessage bytes */
export function defaultLimits(maxMessage: number): ServerLimits {
  return {
    helloDeadlineMs: HELLO_DEADLINE_MS,
    firstPacketDeadlineMs: FIRST_PACKET_DEADLINE_MS,
    halfOpenPerAddress: 64,
    halfOpen: 512,
    halfOpenBytesPerAddress: 1 << 20,
    halfOpenBytes: 8 << 20,
    handshakesPerSecond: 100,
    handshakeBurst: 200,
    idleMs: 5 * 60_000,
    queuedBytes: 2 * maxMessage + (64 << 10),
    queuedMs: 30_000,
  };
}

/** Options with every default in place. Who serves connections alone has records, and nothing else of a key database. */
export interface ResolvedOptions<Keys extends RecordStore = RecordStore> {
  readonly keys: Keys;
  readonly suites: readonly Suite[];
  readonly onMessage: MessageHandler | null;
  readonly rounds: RoundsOptions;
  readonly roundsBackend: RoundsBackendFactory;
  readonly maxMessage: number;
  readonly padding: PaddingPolicy;
  readonly maxClients: number;
  readonly limits: ServerLimits;
  /** Null: never. */
  readonly onClone: OnClone;
  /** Null: never. */
  readonly overdueAfterMs: number | null;
  readonly rotation: { readonly maxSessionAgeMs: number | null; readonly maxSessionRounds: number | null };
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
}

/** @throws OptionError that names the option and what was expected */
export function resolveOptions<Keys extends RecordStore>(
  options: Omit<ServerOptions, "keys"> & { readonly keys: Keys },
): ResolvedOptions<Keys> {
  const maxMessage = integer(
    "maxMessage",
    options.maxMessage ?? DEFAULT_MAX_MESSAGE,
    MIN_MAX_MESSAGE,
    MAX_U32,
  );
  const limits = { ...defaultLimits(maxMessage), ...options.limits };
  for (const [name, value] of Object.entries(limits))
    integer(`limits.${name}`, value, 1, Number.MAX_SAFE_INTEGER);
  const suites = options.suites ?? STRICT_SUITES;
  if (suites.length === 0) throw new OptionError("suites", "at least one suite", "none");
  const rounds = options.rounds ?? {};
  // Each is a whole answer to what becomes of messages.
  const [, second] = (["onMessage", "roundsBackend", "rounds"] as const).filter(
    (name) => options[name] !== undefined,
  );
  if (second !== undefined)
    throw new OptionError(second, "one of onMessage, roundsBackend and rounds", "more than one");
  if (rounds.deadlineMs !== undefined)
    integer("rounds.deadlineMs", rounds.deadlineMs, 1, Number.MAX_SAFE_INTEGER);
  if (rounds.policy !== undefined && rounds.policy !== "barrier" && rounds.policy !== "eager") {
    throw new OptionError("rounds.policy", "barrier or eager", rounds.policy);
  }
  for (const name of rounds.aggregates ?? []) {
    if (!REDUCER_NAMES.includes(name))
      throw new OptionError("rounds.aggregates", REDUCER_NAMES.join(", "), name);
  }
  const onClone = options.onClone ?? "alert";
  if (!ON_CLONE.includes(onClone)) throw new OptionError("onClone", ON_CLONE.join(" or "), onClone);
  return {
    keys: options.keys,
    suites,
    onMessage: options.onMessage ?? null,
    rounds,
    roundsBackend: options.roundsBackend ?? ((context) => new LocalRounds({ ...rounds, ...context })),
    maxMessage,
    padding: options.padding ?? NO_PADDING,
    maxClients: integer("maxClients", options.maxClients ?? 100, 1, MAX_U32),
    limits,
    onClone,
    overdueAfterMs: optional("overdueAfterMs", options.overdueAfterMs, 1),
    rotation: {
      maxSessionAgeMs: optional("rotation.maxSessionAgeMs", options.rotation?.maxSessionAgeMs, 1),
      maxSessionRounds: optional("rotation.maxSessionRounds", options.rotation?.maxSessionRounds, 2),
    },
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    crypto: options.crypto ?? defaultCrypto(),
  };
}

/** Null where it is not given. */
function optional(name: string, value: number | undefined, least: number): number | null {
  return value === undefined ? null : integer(name, value, least, Number.MAX_SAFE_INTEGER);
}

function integer(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new OptionError(name, `an integer from ${least} to ${most}`, value);
}
