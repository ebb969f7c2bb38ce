import { FIRST_PACKET_DEADLINE_MS, HELLO_DEADLINE_MS, type Suite } from "@pawl/protocol";
import type { Case } from "./attack.ts";
import {
  AttackerConnection,
  createProxy,
  describeReaction,
  type Program,
  type ProxiedConnection,
  type ProxyOptions,
  type Reaction,
  Recording,
  type Side,
  Watch,
} from "./mitm/index.ts";
import type { Enrolled } from "./world/enrolled.ts";
import { errorName, Victim } from "./world/victim.ts";
import { LAB_DEADLINE_MS, World, type WorldOptions } from "./world/world.ts";

export interface StageOptions {
  readonly suite: Suite;
  readonly at: { readonly host: string; readonly port: number };
  /** Null: the server is somebody else's, and nothing is known of it but what the wire shows. */
  readonly world: World | null;
  /** New clients, or those there are. */
  readonly enrol: (count: number) => Promise<readonly Enrolled[]>;
  readonly full: boolean;
  readonly signal: AbortSignal;
}

/** This place has not what the attack takes. The message completes "the attack …". */
export class UnfitStageError extends Error {}

/** How many victims of the lab's own are attacked side by side, where there are many. */
const WIDTH = 16;
/** How long the sessions of victims are given to end, milliseconds. */
const ENDING_MS = 250;

/** A man in the middle between a client and the stage's server. */
export interface Mitm {
  readonly host: string;
  readonly port: number;
  readonly recording: Recording;
  /** The newest connection through him. @throws where there was none */
  readonly connection: ProxiedConnection;
  /** Looks at one side of the newest connection, from now on. */
  watch(side: Side): Watch;
  /** Ends what goes through him, now and not when the attack ends. */
  close(): Promise<void>;
}

/** What a case of an attack has to work with. All that it makes is gone when the attack ends. */
export class Stage {
  readonly suite: Suite;
  readonly at: { readonly host: string; readonly port: number };
  readonly world: World | null;
  /** Every variant, not a choice of them. */
  readonly full: boolean;
  readonly signal: AbortSignal;
  readonly victims: Victim[] = [];
  readonly #enrol: StageOptions["enrol"];
  readonly #deferred = new Set<() => Promise<unknown> | unknown>();
  #closed = false;

  constructor({ suite, at, world, enrol, full, signal }: StageOptions) {
    this.suite = suite;
    this.at = at;
    this.world = world;
    this.full = full;
    this.signal = signal;
    this.#enrol = enrol;
  }

  /** The stage's own server, for an attack that needs one. @throws UnfitStageError where the server is somebody else's */
  get own(): World {
    if (this.world === null) throw new UnfitStageError("needs a server of the lab's own");
    return this.world;
  }

  /** How many victims there may be at once. */
  get width(): number {
    return this.world === null ? 1 : WIDTH;
  }

  /** How long the server waits for a HELLO, and for the first packet behind CHALLENGE (PROTOCOL.md, 2), milliseconds. */
  get deadlines(): { readonly helloMs: number; readonly firstPacketMs: number } {
    return this.world === null
      ? { helloMs: HELLO_DEADLINE_MS, firstPacketMs: FIRST_PACKET_DEADLINE_MS }
      : { helloMs: LAB_DEADLINE_MS, firstPacketMs: LAB_DEADLINE_MS };
  }

  /** A client that nobody has used; against a server that is somebody else's, the one there is. */
  async victim(): Promise<Victim> {
    const [victim] = await this.newVictims(1);
    if (victim === undefined) throw new Error("no client could be enrolled");
    return victim;
  }

  async newVictims(count: number): Promise<Victim[]> {
    const clients = await this.#enrol(count);
    // A credential serves one session at a time.
    const before = this.victims.filter((victim) =>
      clients.some(({ clientId }) => clientId === victim.clientId),
    );
    await Promise.all(before.map((victim) => victim.end(ENDING_MS)));
    const victims = clients.map((enrolled) => new Victim(enrolled));
    this.victims.push(...victims);
    return victims;
  }

  /** A proxy in front of the server. `upstream: null`: the attacker plays the server himself. */
  async mitm(options: Partial<ProxyOptions> = {}): Promise<Mitm> {
    const connections: ProxiedConnection[] = [];
    const proxy = await createProxy({
      upstream: this.at,
      // Without a program the proxy would not read frames.
      program: passAll,
      ...options,
      onConnection: (connection) => connections.push(connection),
    });
    const close = () => proxy.close();
    this.defer(close);
    const newest = () => {
      const connection = connections.at(-1);
      if (connection === undefined) throw new Error("nobody has connected through the man in the middle");
      return connection;
    };
    return {
      host: proxy.host,
      port: proxy.port,
      recording: proxy.recording,
      get connection() {
        return newest();
      },
      watch: (side) => new Watch(proxy.recording, newest().id, side),
      close: async () => {
        if (this.#deferred.delete(close)) await close();
      },
    };
  }

  /** A connection of the attacker's own to the server. @param options.at another one's */
  async attacker(
    recording: Recording = new Recording(),
    { at = this.at, ...options }: { readonly at?: Stage["at"]; readonly localAddress?: string } = {},
  ): Promise<AttackerConnection> {
    const connection = await AttackerConnection.open(recording, at, options);
    this.defer(() => connection.destroy());
    return connection;
  }

  /** A server for this attack alone. */
  async privateWorld(options: Omit<WorldOptions, "suite">): Promise<World> {
    const world = await World.open({ suite: this.suite, ...options });
    this.defer(() => world.close());
    return world;
  }

  /** How often a client was counted, as honest clients saw it, after a round of theirs; null: nobody can tell. */
  async counted(victim: Victim): Promise<number | null> {
    if (this.world === null || this.world.honest.size === 0) return null;
    await this.world.honest.round();
    return this.world.ledger.counted(victim.prime);
  }

  /**
   * The case in which a victim has to refuse in silence: it failed where not a byte came back and the connection closed.
   * @param input.accepted anything else that shows that the victim took it: an answer that a client's caller got
   * @param input.error of a client: what it threw
   * @param input.world whose server it was; the stage's unless given
   */
  async refusal(input: {
    readonly name?: string;
    readonly did: string;
    readonly recording: Recording;
    readonly connection: number;
    readonly reaction: Reaction;
    readonly due: readonly string[] | null;
    readonly accepted?: boolean;
    readonly error?: unknown;
    readonly expected?: "fails" | "works";
    readonly world?: World;
  }): Promise<Case> {
    const { name = "", did, recording, connection, reaction, due, accepted = false, expected } = input;
    const refusedBy =
      input.error !== undefined
        ? errorName(input.error)
        : await this.refusedBy(recording, connection, input.world);
    if (refusedBy !== null) {
      recording.note(`${reaction.side === "server" ? "the server" : "the client"}: ${refusedBy}`, connection);
    }
    const worked = accepted || reaction.bytes > 0 || reaction.ended === null;
    const happened = describeReaction(reaction) + (accepted ? "; it was accepted" : "");
    const own = expected === undefined ? {} : { expected };
    return { name, did, happened, worked, refusedBy, due, recording, ...own };
  }

  /** The class that the server's event names for a connection of the attacker's; null: none, or not our server. */
  async refusedBy(recording: Recording, connection: number, world = this.world): Promise<string | null> {
    if (world === null) return null;
    const open = recording.entries.find((entry) => entry.kind === "open" && entry.connection === connection);
    if (open?.kind !== "open" || open.port === null) return null;
    return (await world.events.ofPort("violation", open.port))?.error ?? null;
  }

  /** Does this when the attack has ended, the last first; at once where it has been given up, and goes on all the same. */
  defer(undo: () => Promise<unknown> | unknown): void {
    if (this.#closed) void undo();
    else this.#deferred.add(undo);
  }

  async close(): Promise<void> {
    // Against a server that is somebody else's the next attack takes the same client.
    if (this.world === null) await Promise.all(this.victims.map((victim) => victim.end(ENDING_MS)));
    this.#closed = true;
    const undone = [...this.#deferred].reverse();
    this.#deferred.clear();
    for (const undo of undone) await undo();
  }
}

/** A program that returns at once lets everything pass, and has it seen. */
function* passAll(): Program {}
