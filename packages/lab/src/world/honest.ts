import { setTimeout as sleep } from "node:timers/promises";
import { connect, type PawlConnection } from "@pawl/client";
import type { Enrolled } from "./enrolled.ts";
import type { Ledger } from "./ledger.ts";

/** Between two rounds, so that the attacks have the machine as well, milliseconds. */
const PAUSE_MS = 25;

export interface HonestReport {
  readonly clients: number;
  /** Rounds in which all of them were answered. */
  readonly rounds: number;
  /** Aggregates that were wrong, sessions that were harmed. */
  readonly wrong: readonly string[];
  /** From a client's DATA to its AGGREGATE, milliseconds, sorted. */
  readonly latencies: readonly number[];
}

interface Member {
  readonly enrolled: Enrolled;
  session: PawlConnection;
}

/** Clients that mind their own business while others are attacked, and check every aggregate that they are told. */
export class HonestFleet {
  readonly #at: { readonly host: string; readonly port: number };
  readonly #ledger: Ledger;
  readonly #members: Member[] = [];
  readonly #wrong: string[] = [];
  readonly #waiting: (() => void)[] = [];
  #latencies: number[] = [];
  #rounds = 0;
  #running = false;
  #closing = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(at: { readonly host: string; readonly port: number }, ledger: Ledger) {
    this.#at = at;
    this.#ledger = ledger;
  }

  async start(clients: readonly Enrolled[]): Promise<void> {
    for (const enrolled of clients) this.#members.push({ enrolled, session: await this.#connect(enrolled) });
    this.resume();
  }

  /** Lets the round that is under way end, and begins no other until `resume`. Sessions stay. */
  async pause(): Promise<void> {
    this.#running = false;
    await this.#loop;
  }

  resume(): void {
    if (this.#running || this.#members.length === 0) return;
    this.#running = true;
    this.#loop = this.#run();
  }

  get size(): number {
    return this.#members.length;
  }

  get wrong(): readonly string[] {
    return this.#wrong;
  }

  /** Resolves when a whole round that begins from now on has been answered. Without clients at once. */
  async round(): Promise<void> {
    if (!this.#running) return;
    // The one that is under way may have begun before.
    for (let rounds = 0; rounds < 2; rounds++)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Latencies since the last call, milliseconds, sorted. */
  takeLatencies(): number[] {
    const taken = this.#latencies.sort((a, b) => a - b);
    this.#latencies = [];
    return taken;
  }

  report(): HonestReport {
    const { size: clients, wrong } = this;
    return { clients, rounds: this.#rounds, wrong: [...wrong], latencies: this.takeLatencies() };
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.pause();
    await Promise.allSettled(this.#members.map(({ session }) => session.close()));
  }

  #connect({ store }: Enrolled): Promise<PawlConnection> {
    return connect({ credential: store, ...this.#at });
  }

  async #run(): Promise<void> {
    while (this.#running) {
      await this.#contribute();
      this.#rounds++;
      for (const done of this.#waiting.splice(0)) done();
      await sleep(PAUSE_MS);
    }
    for (const done of this.#waiting.splice(0)) done();
  }

  /** One message of each, answered, and every answer checked. */
  async #contribute(): Promise<void> {
    const told = new Map<number, { aggregates: Set<string>; primes: number[] }>();
    await Promise.all(
      this.#members.map(async (member) => {
        const { prime } = member.enrolled;
        const since = performance.now();
        try {
          const { round, value, aggregate } = await member.session.send(String(prime));
          this.#latencies.push(performance.now() - since);
          if (value !== String(prime))
            this.#wrong.push(`an honest client sent ${prime}, counted as ${value}`);
          const of = told.get(round) ?? { aggregates: new Set(), primes: [] };
          told.set(round, of);
          of.aggregates.add(String(aggregate));
          of.primes.push(prime);
        } catch (error) {
          if (this.#closing) return;
          this.#wrong.push(`an honest client's session was harmed: ${messageOf(error)}`);
          member.session = await this.#connect(member.enrolled).catch(() => member.session);
        }
      }),
    );
    for (const [round, { aggregates, primes }] of told) {
      for (const aggregate of aggregates) this.#wrong.push(...this.#ledger.enter(round, aggregate, primes));
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
