import type { ClientId } from "@pawl/protocol";
import { HandshakeBuckets } from "./bucket.ts";
import { ChallengeBudget } from "./challenge-budget.ts";
import type { Commons, Greeting, HelloClaim, Member, Standing } from "./commons.ts";
import type { EventBus } from "./events.ts";
import { HalfOpenTable } from "./half-open.ts";
import type { StoreChange } from "./keys/store.ts";
import type { ResolvedOptions } from "./options.ts";

/** A connection that has a client. */
interface Present {
  readonly member: Member;
  readonly greeting: Greeting;
  live: boolean;
}

/** In the memory of the process that accepts the connections. */
export class OwnCommons implements Commons {
  readonly #options: Pick<ResolvedOptions, "clock" | "maxClients">;
  readonly #buckets: HandshakeBuckets;
  readonly #budget: ChallengeBudget;
  readonly #halfOpen: HalfOpenTable<Member>;
  readonly #present = new Map<Member, Present>();
  /** Live and half-open. */
  readonly #byClient = new Map<ClientId, Present[]>();
  readonly #live = new Map<ClientId, Member>();

  constructor(
    options: Pick<ResolvedOptions, "clock" | "limits" | "maxClients">,
    events: EventBus,
    budget = new ChallengeBudget(),
  ) {
    const { clock, limits } = options;
    this.#options = options;
    this.#budget = budget;
    this.#buckets = new HandshakeBuckets(clock, limits.handshakesPerSecond, limits.handshakeBurst);
    this.#halfOpen = new HalfOpenTable(limits, (member, limit) => {
      const { id: connection, remoteAddress, worker } = member;
      events.emit({ type: "half-open-evicted", connection, remoteAddress, limit }, worker);
      member.abort();
    });
  }

  /** Connections whose client has not proved itself yet. */
  get halfOpen(): { readonly count: number; readonly bytes: number } {
    return this.#halfOpen;
  }

  /** Whether an address may make one more handshake. */
  admits(limitKey: string): boolean {
    return this.#buckets.take(limitKey);
  }

  /** A connection was accepted. */
  arrived(member: Member): void {
    this.#halfOpen.add(member, member.limitKey);
  }

  standing({ clientId, epoch, gcm }: HelloClaim): Standing {
    const { clock, maxClients } = this.#options;
    const live = this.#live.has(clientId);
    return {
      live,
      room: live || this.#live.size < maxClients,
      spent: gcm && !this.#budget.allows(clientId, epoch, clock.elapsed()),
    };
  }

  charge(limitKey: string, handshakes: number): void {
    this.#buckets.charge(limitKey, handshakes);
  }

  buffers(member: Member, bytes: number): void {
    this.#halfOpen.hold(member, bytes);
  }

  greeted(member: Member, greeting: Greeting): void {
    const { clientId, epoch, gcm } = greeting;
    if (gcm) this.#budget.note(clientId, epoch, this.#options.clock.elapsed());
    const present = { member, greeting, live: false };
    this.#present.set(member, present);
    const connections = this.#byClient.get(clientId);
    if (connections === undefined) this.#byClient.set(clientId, [present]);
    else connections.push(present);
  }

  /** Section 4.5.3: every other live session of this client ends, half-open ones forget their epoch. */
  becameLive(member: Member): void {
    this.#halfOpen.remove(member);
    const present = this.#present.get(member);
    if (present === undefined) return;
    const { clientId, epoch, generation } = present.greeting;
    this.#budget.forget(clientId);
    present.live = true;
    const others = (this.#byClient.get(clientId) ?? []).filter((other) => other !== present);
    // Word of it may come late from another process.
    if (others.some((other) => other.live && isAhead(other.greeting, { epoch, generation }))) {
      member.terminate("superseded");
      return;
    }
    this.#live.set(clientId, member);
    for (const other of others) {
      if (!other.live) other.member.epochMoved();
      else if (other.greeting.epoch < epoch) other.member.terminate("superseded");
    }
  }

  ended(member: Member): void {
    this.#halfOpen.remove(member);
    const present = this.#present.get(member);
    if (present === undefined) return;
    this.#present.delete(member);
    const { clientId } = present.greeting;
    if (this.#live.get(clientId) === member) this.#live.delete(clientId);
    const others = (this.#byClient.get(clientId) ?? []).filter((other) => other !== present);
    if (others.length === 0) this.#byClient.delete(clientId);
    else this.#byClient.set(clientId, others);
  }

  /** Section 4.5.4: what others did to a client's record. */
  stored({ clientId, now }: StoreChange): void {
    for (const { member, greeting, live } of [...(this.#byClient.get(clientId) ?? [])]) {
      if (now === null || now.revoked) member.terminate("revoked");
      else if (now.generation !== greeting.generation) member.terminate("superseded");
      else if (!live && now.epoch > greeting.epoch) member.epochMoved();
    }
  }
}

function isAhead(other: Greeting, than: Pick<Greeting, "epoch" | "generation">): boolean {
  return other.generation === than.generation && other.epoch > than.epoch;
}
