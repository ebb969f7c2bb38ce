import type { ClientId, Epoch } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { ChallengeBudget } from "../challenge-budget.ts";
import type { Commons, Member } from "../commons.ts";
import type { Arrival } from "../door.ts";
import { EventBus } from "../events.ts";
import { defaultLimits } from "../options.ts";
import { OwnCommons } from "../own-commons.ts";
import { FakeClock } from "./fake-clock.ts";

/** A connection that keeps what it is told. */
export class FakeMember implements Member {
  readonly id: number;
  readonly remoteAddress = "192.0.2.1";
  readonly limitKey = "192.0.2.1";
  readonly worker = null;
  readonly told: string[] = [];

  constructor(id: number) {
    this.id = id;
  }

  terminate(reason: string): void {
    this.told.push(reason);
  }

  epochMoved(): void {
    this.told.push("epoch-moved");
  }

  abort(): void {
    this.told.push("abort");
  }
}

/** How the connections of a process come by what they have in common with others. */
export interface CommonsUnderTest {
  /** Of each process. */
  readonly servers: readonly Commons[];
  /** A connection was accepted, and is with this server. */
  arrived(server: number, member: FakeMember, arrival: Arrival): void;
  /** Lets what is on its way between processes arrive. */
  settle(): void;
}

/** What a server's connections have in common, in one process or in several. */
export function commonsConformance(
  name: string,
  make: (own: OwnCommons, events: EventBus) => CommonsUnderTest,
): void {
  function setUp({ maxClients = 10, halfOpen = 512, challenges = 100 } = {}) {
    const clock = new FakeClock();
    const events = new EventBus(clock);
    const limits = { ...defaultLimits(1 << 20), halfOpen };
    const own = new OwnCommons({ clock, limits, maxClients }, events, new ChallengeBudget(challenges));
    const { servers, arrived, settle } = make(own, events);
    let ids = 0;
    const serverAt = (index: number) => {
      const server = servers[index % servers.length];
      if (server === undefined) throw new RangeError("no server");
      return server;
    };
    const greetingOf = (client: number, epoch: number, { gcm = false } = {}) => ({
      clientId: client as ClientId,
      epoch: epoch as Epoch,
      generation: 7n,
      gcm,
    });
    const arrive = (server: number) => {
      const member = new FakeMember(++ids);
      const { id, remoteAddress, limitKey } = member;
      arrived(server % servers.length, member, { id, remoteAddress, remotePort: 1_024 + id, limitKey });
      return member;
    };
    return {
      own,
      settle,
      serverAt,
      greetingOf,
      arrive,
      standing: async (server: number, client: number, { gcm = false } = {}) => {
        const asked = serverAt(server).standing(greetingOf(client, 0, { gcm }));
        settle();
        return asked;
      },
      /** A connection with this server whose client is live. */
      live: (server: number, client: number, epoch: number) => {
        const member = arrive(server);
        serverAt(server).greeted(member, greetingOf(client, epoch));
        serverAt(server).becameLive(member);
        settle();
        return member;
      },
    };
  }

  describe(`${name}: what connections have in common`, () => {
    it("counts half-open connections until they are live or over", () => {
      const { own, arrive, serverAt, greetingOf, settle } = setUp();
      const [a, b, c] = [arrive(0), arrive(1), arrive(0)];
      settle();
      serverAt(1).buffers(b, 100);
      serverAt(0).greeted(a, greetingOf(1, 0));
      settle();
      expect(own.halfOpen).toMatchObject({ count: 3, bytes: 100 });
      serverAt(0).becameLive(a);
      serverAt(1).ended(b);
      settle();
      expect(own.halfOpen).toMatchObject({ count: 1, bytes: 0 });
      expect([a.told, b.told, c.told]).toEqual([[], [], []]);
    });

    it("evicts the oldest over a limit, whichever server has it", () => {
      const { arrive, settle } = setUp({ halfOpen: 2 });
      const members = [arrive(0), arrive(1), arrive(0), arrive(1)];
      settle();
      expect(members.map(({ told }) => told)).toEqual([["abort"], ["abort"], [], []]);
    });

    it("knows who is live, and whether there is room for one more", async () => {
      const { live, standing, serverAt, settle } = setUp({ maxClients: 1 });
      expect(await standing(1, 1)).toEqual({ live: false, room: true, spent: false });
      const member = live(0, 1, 0);
      expect(await standing(1, 1)).toEqual({ live: true, room: true, spent: false });
      expect(await standing(1, 2)).toEqual({ live: false, room: false, spent: false });
      serverAt(0).ended(member);
      settle();
      expect(await standing(1, 2)).toEqual({ live: false, room: true, spent: false });
    });

    it("takes a client for live as long as one of its sessions is", async () => {
      const { live, standing, serverAt, settle } = setUp();
      const older = live(0, 1, 4);
      const newer = live(1, 1, 5);
      serverAt(0).ended(older);
      settle();
      expect(await standing(0, 1)).toMatchObject({ live: true });
      serverAt(1).ended(newer);
      settle();
      expect(await standing(0, 1)).toMatchObject({ live: false });
    });

    it("counts the challenges of strict-gcm for each client, until its epoch moves", async () => {
      const { arrive, serverAt, greetingOf, standing, settle } = setUp({ challenges: 2 });
      const [first, second] = [arrive(0), arrive(1)];
      serverAt(0).greeted(first, greetingOf(1, 0, { gcm: true }));
      serverAt(1).greeted(second, greetingOf(1, 0, { gcm: true }));
      settle();
      expect(await standing(1, 1, { gcm: true })).toMatchObject({ spent: true });
      expect(await standing(1, 1)).toMatchObject({ spent: false });
      expect(await standing(1, 2, { gcm: true })).toMatchObject({ spent: false });
      serverAt(1).becameLive(second);
      settle();
      expect(await standing(1, 1, { gcm: true })).toMatchObject({ spent: false });
    });

    it("ends a client's older session for its newer one, and has half-open ones forget", () => {
      const { live, arrive, serverAt, greetingOf, settle } = setUp();
      const older = live(0, 1, 4);
      const stranger = live(0, 2, 9);
      const halfOpen = arrive(0);
      serverAt(0).greeted(halfOpen, greetingOf(1, 5));
      const newer = live(1, 1, 5);
      settle();
      expect([older, stranger, halfOpen, newer].map(({ told }) => told)).toEqual([
        ["superseded"],
        [],
        ["epoch-moved"],
        [],
      ]);
    });

    it("ends an older session of which it hears last", () => {
      const { live } = setUp();
      const newer = live(1, 1, 5);
      const older = live(0, 1, 4);
      expect([older.told, newer.told]).toEqual([["superseded"], []]);
    });

    it("tells each connection what became of its client's record", () => {
      const { own, live, arrive, serverAt, greetingOf, settle } = setUp();
      const members = [live(0, 1, 1), live(1, 2, 1), live(0, 3, 1)];
      const halfOpen = arrive(1);
      serverAt(1).greeted(halfOpen, greetingOf(4, 1));
      settle();
      const state = { generation: 7n, epoch: 2 as Epoch, revoked: false };
      own.stored({ clientId: 1 as ClientId, now: { ...state, generation: 8n, revoked: true } });
      own.stored({ clientId: 2 as ClientId, now: { ...state, generation: 8n } });
      own.stored({ clientId: 3 as ClientId, now: state });
      own.stored({ clientId: 4 as ClientId, now: state });
      own.stored({ clientId: 5 as ClientId, now: null });
      settle();
      expect(members.map(({ told }) => told)).toEqual([["revoked"], ["superseded"], []]);
      expect(halfOpen.told).toEqual(["epoch-moved"]);
    });
  });
}
