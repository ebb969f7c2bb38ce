import { memoryCredential } from "@pawl/client";
import { type ClientId, clientId, SECRET_BYTES, type Suite, utf8 } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { createServer, type PawlServer, type ServerOptions } from "@pawl/server";
import { createMemoryStore, type KeyStore } from "@pawl/server/keys";
import { type Enrolled, freshCredential } from "./enrolled.ts";
import { EventLog } from "./event-log.ts";
import { HonestFleet } from "./honest.ts";
import { Ledger } from "./ledger.ts";
import { Victim } from "./victim.ts";

/** What every server of classic has, unless configured (PROTOCOL.md, 3). */
export const BASEKEY = utf8("basekey");

export interface WorldOptions {
  readonly suite: Suite;
  /** Suites that the server runs beside that of its clients. */
  readonly also?: readonly Suite[];
  /** Clients that do rounds all the while; none unless given. */
  readonly honest?: number;
  /** For a server that is not as the lab's others. */
  readonly server?: Partial<Omit<ServerOptions, "suites">>;
}

/** How long the lab's servers wait for a HELLO, and for the first packet behind CHALLENGE, milliseconds. */
export const LAB_DEADLINE_MS = 1_500;
/** A round that somebody holds up, milliseconds. */
const ROUND_DEADLINE_MS = 150;

/** A server of ours on a free port of loopback, its key database, and the clients that it has. */
export class World {
  readonly suite: Suite;
  readonly server: PawlServer;
  readonly keys: KeyStore;
  readonly at: { readonly host: string; readonly port: number };
  readonly events: EventLog;
  readonly honest: HonestFleet;
  readonly ledger: Ledger;
  #enrolling: Promise<unknown> = Promise.resolve();

  private constructor(
    suite: Suite,
    server: PawlServer,
    keys: KeyStore,
    at: { host: string; port: number },
    events: EventLog,
  ) {
    this.suite = suite;
    this.server = server;
    this.keys = keys;
    this.at = at;
    this.events = events;
    this.ledger = new Ledger();
    this.honest = new HonestFleet(at, this.ledger);
  }

  static async open({ suite, also = [], honest = 0, server: own = {} }: WorldOptions): Promise<World> {
    const keys = own.keys ?? createMemoryStore();
    const rounds = own.onMessage === undefined ? { rounds: { deadlineMs: ROUND_DEADLINE_MS } } : {};
    const server = createServer({
      maxClients: 1_000_000,
      ...rounds,
      ...own,
      keys,
      suites: [suite, ...also],
      // The lab's attackers and victims have one address, and attack far oftener than a minute allows.
      limits: {
        handshakesPerSecond: 1_000_000,
        handshakeBurst: 1_000_000,
        halfOpen: 100_000,
        halfOpenPerAddress: 100_000,
        helloDeadlineMs: LAB_DEADLINE_MS,
        firstPacketDeadlineMs: LAB_DEADLINE_MS,
        ...own.limits,
      },
    });
    const events = new EventLog(server);
    const at = await server.listen({ host: "127.0.0.1", port: 0 });
    const world = new World(suite, server, keys, at, events);
    try {
      await world.honest.start(await world.enrol(honest));
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  /** New clients, each with a secret and a prime of its own. */
  enrol(count: number): Promise<Enrolled[]> {
    // One after the other: an id is free until it is taken.
    const enrolled = this.#enrolling.then(() => this.#enrol(count));
    this.#enrolling = enrolled.catch(() => {});
    return enrolled;
  }

  async #enrol(count: number): Promise<Enrolled[]> {
    if (count === 0) return [];
    const ids = await this.keys.freeIds(count);
    const secrets = ids.map(() => this.newSecret());
    await this.keys.add(
      ids.map((id, index) => ({ clientId: id, suite: this.suite, secret: secrets[index] ?? BASEKEY })),
    );
    return ids.map((id, index) => this.#enrolled(id, secrets[index] ?? BASEKEY));
  }

  /** A new client to be attacked. */
  async victim(): Promise<Victim> {
    const [enrolled] = await this.enrol(1);
    if (enrolled === undefined) throw new Error("no client could be enrolled");
    return new Victim(enrolled);
  }

  /** A second holder of what a client has now. */
  async copyOf({ clientId, suite, prime, store }: Victim): Promise<Victim> {
    const credential = await store.load();
    await store.close();
    return new Victim({ clientId, suite, prime, store: memoryCredential(credential) });
  }

  newSecret(): Uint8Array {
    return this.suite.strict ? systemRandom(SECRET_BYTES) : BASEKEY;
  }

  /** An id that nobody has. */
  unknownId(): ClientId {
    return clientId(0xffff_0000 + Math.floor(Math.random() * 0xffff));
  }

  async close(): Promise<void> {
    await this.honest.close();
    await this.server.close({ graceMs: 300 });
    this.events.close();
    await this.keys.close();
  }

  #enrolled(id: ClientId, secret: Uint8Array): Enrolled {
    const store = freshCredential(this.suite, id, secret);
    return { clientId: id, suite: this.suite, store, prime: this.ledger.issue() };
  }
}
