import { setTimeout as sleep } from "node:timers/promises";
import { type Aggregate, type ConnectOptions, connect, type PawlConnection } from "@pawl/client";
import type { ClientId, Suite } from "@pawl/protocol";
import { ProtocolError } from "@pawl/protocol";
import type { Enrolled } from "./enrolled.ts";

/** A client that is attacked, or whose server is. */
export class Victim implements Enrolled {
  readonly clientId: ClientId;
  readonly suite: Suite;
  readonly store: Enrolled["store"];
  readonly prime: number;
  /** How often it has said its prime, answered or not. */
  said = 0;
  readonly #sessions: PawlConnection[] = [];

  constructor({ clientId, suite, store, prime }: Enrolled) {
    this.clientId = clientId;
    this.suite = suite;
    this.store = store;
    this.prime = prime;
  }

  /** @throws what `connect` throws */
  async connect(
    at: { readonly host: string; readonly port: number },
    options: Pick<ConnectOptions, "padding" | "coverFirst" | "crypto"> & { readonly timeoutMs?: number } = {},
  ): Promise<PawlConnection> {
    const { timeoutMs = 5_000, ...rest } = options;
    const { host, port } = at;
    const timeouts = {
      connectTimeoutMs: timeoutMs,
      handshakeTimeoutMs: timeoutMs,
      replyTimeoutMs: timeoutMs,
    };
    const session = await connect({ credential: this.store, host, port, ...timeouts, ...rest });
    this.#sessions.push(session);
    return session;
  }

  /** Ends its sessions, properly where that goes. @param within milliseconds */
  async end(within: number): Promise<void> {
    const ends = this.#sessions.splice(0).map((session) => session.close());
    if (ends.length > 0) await Promise.race([Promise.allSettled(ends), sleep(within, null, { ref: false })]);
  }

  /** One round: its prime, answered. @throws what `send` throws */
  say(session: PawlConnection): Promise<Aggregate> {
    this.said++;
    return session.send(String(this.prime));
  }
}

/** The class of the protocol's error that a client's call failed with; another error's own name. */
export function errorName(error: unknown): string {
  if (error instanceof ProtocolError) return error.name;
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof ProtocolError ? error.cause.name : error.name;
}

/** What a promise came to: its value, or the error. */
export async function outcomeOf<T>(
  promise: Promise<T>,
): Promise<{ readonly value: T; readonly error: null } | { readonly value: null; readonly error: unknown }> {
  try {
    return { value: await promise, error: null };
  } catch (error) {
    return { value: null, error };
  }
}
