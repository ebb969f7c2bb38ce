import { type ClientId, type Epoch, utf8 } from "@pawl/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../testing/fake-clock.ts";
import type { RoundSession, RoundsBackend } from "../backend.ts";
import type { ClosedRound, RoundsOptions } from "../rounds.ts";
import { messageValue } from "../value.ts";

/** Time, turns of the event loop and the record of what closed, all in the hands of a test. */
export interface Stage {
  readonly clock: FakeClock;
  readonly onRound: (round: ClosedRound) => void;
  readonly defer: (callback: () => void) => void;
}

/** Rounds under test. */
export interface RoundsUnderTest {
  /** Servers whose sessions meet in the same rounds. */
  readonly servers: readonly RoundsBackend[];
  /** Lets one message between processes arrive, of those that are on their way; false where none is. */
  readonly deliver: (choice: number) => boolean;
}

export type MakeRounds = (options: RoundsOptions, stage: Stage) => RoundsUnderTest;

interface Told {
  readonly round: number;
  readonly value: string | null;
  readonly aggregate: string;
  readonly contributors: number;
}

/** On their way at once: far more than any test makes. */
const MOST_MESSAGES = 10_000;

/** Small enough that a product of all of them is read at a glance in a failure. */
const PRIMES = [
  2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
];

export function stageOf(make: MakeRounds, options: RoundsOptions = {}) {
  const clock = new FakeClock();
  const closed: ClosedRound[] = [];
  const deferred: (() => void)[] = [];
  const { servers, deliver } = make(
    { deadlineMs: 1_000, ...options },
    { clock, onRound: (round) => closed.push(round), defer: (callback) => deferred.push(callback) },
  );
  let sessions = 0;
  const epochs = new Map<number, number>();
  const answers: (Told & { readonly session: RoundSession })[] = [];
  const serverOf = (session: RoundSession) => {
    const server = servers[session.id % servers.length];
    if (server === undefined) throw new RangeError("no server");
    return server;
  };
  const settle = () => {
    for (let delivered = 0; deliver(0); delivered++)
      if (delivered === MOST_MESSAGES) expect.unreachable("the processes go on to answer each other");
  };
  return {
    clock,
    closed,
    answers,
    deliver,
    settle,
    servers,
    /** A session of this client, on the next server in turn. */
    join(client: number): RoundSession {
      const epoch = (epochs.get(client) ?? 0) as Epoch;
      epochs.set(client, epoch + 1);
      const session = { id: sessions++, clientId: client as ClientId, epoch, generation: 7n };
      serverOf(session).join(session);
      return session;
    },
    send(session: RoundSession, text: string | null): void {
      const value = text === null ? null : messageValue(utf8(text));
      serverOf(session).contribute(session, value, (message) => {
        // What this server's side of the rounds wrote, read as a client would.
        answers.push({ ...(JSON.parse(new TextDecoder().decode(message)) as Told), session });
      });
    },
    leave: (session: RoundSession) => serverOf(session).leave(session),
    endTurn(): void {
      for (const callback of deferred.splice(0)) callback();
    },
  };
}

/** What every place where rounds happen has to do (section 5.3). */
export function roundsConformance(name: string, make: MakeRounds): void {
  describe(`${name}: barrier rounds`, () => {
    it("close when every live session of every server has sent one", () => {
      const { join, send, settle, answers, closed } = stageOf(make);
      const sessions = [join(1), join(2), join(3)];
      settle();
      for (const [i, text] of ["2", "3"].entries()) send(sessions[i] as RoundSession, text);
      settle();
      expect(answers).toEqual([]);
      send(sessions[2] as RoundSession, "5");
      settle();
      expect(answers.map(({ session, value }) => [session.clientId, value]).sort()).toEqual([
        [1, "2"],
        [2, "3"],
        [3, "5"],
      ]);
      for (const told of answers) expect(told).toMatchObject({ round: 1, aggregate: "30", contributors: 3 });
      expect(closed).toMatchObject([{ round: 1, closedBy: "complete", product: "30", covers: 0 }]);
    });

    it("close at the deadline; what comes later counts in the next", () => {
      const { join, send, settle, clock, answers, closed } = stageOf(make);
      const [a, b] = [join(1), join(2)];
      settle();
      send(a, "2");
      settle();
      clock.advance(999);
      settle();
      expect(answers).toEqual([]);
      clock.advance(1);
      settle();
      expect(answers).toMatchObject([{ round: 1, aggregate: "2", contributors: 1 }]);
      send(b, "3");
      settle();
      clock.advance(1_000);
      settle();
      expect(answers[1]).toMatchObject({ round: 2, aggregate: "3", contributors: 1 });
      expect(closed.map(({ closedBy, durationMs }) => [closedBy, durationMs])).toEqual([
        ["deadline", 1_000],
        ["deadline", 1_000],
      ]);
    });

    it("neither wait for a client that leaves, nor take its contribution out", () => {
      const { join, send, leave, settle, answers } = stageOf(make);
      const [a, b, c] = [join(1), join(2), join(3)];
      settle();
      send(a, "2");
      send(b, "3");
      leave(a);
      settle();
      expect(answers).toEqual([]);
      leave(c);
      settle();
      expect(answers).toMatchObject([{ value: "3", aggregate: "6", contributors: 2 }]);
    });

    it("count a client once: what its new session sends replaces what its old one was not answered", () => {
      const { join, send, leave, settle, answers } = stageOf(make);
      const [a, old] = [join(1), join(2)];
      settle();
      send(old, "3");
      settle();
      const next = join(2);
      leave(old);
      send(next, "5");
      settle();
      send(a, "2");
      settle();
      expect(answers.map(({ session, value, aggregate }) => [session, value, aggregate])).toEqual(
        expect.arrayContaining([
          [a, "2", "10"],
          [next, "5", "10"],
        ]),
      );
      expect(answers).toHaveLength(2);
    });

    it("take covers for timing alone, and keep values exact", () => {
      const { join, send, settle, answers } = stageOf(make, { aggregates: ["sum"] });
      const [a, b, c] = [join(1), join(2), join(3)];
      settle();
      const long = `0.${"1234567890".repeat(30)}`;
      send(a, `${long} -1e-900`);
      send(b, null);
      send(c, "1e3");
      settle();
      const exact = `0.${"1234567890".repeat(29)}123456789`;
      expect(answers.find(({ session }) => session === b)).toMatchObject({ value: null, contributors: 2 });
      const own = answers.find(({ session }) => session === a)?.value ?? "";
      // 1e-900 below zero point three hundred digits: borrowed down to the last place.
      expect(own.startsWith(exact.slice(0, -1))).toBe(true);
      expect(own).toHaveLength(902);
      expect(answers.find(({ session }) => session === c)).toMatchObject({ value: "1000" });
    });

    it("are answered when a server drains, all that came before", async () => {
      const { join, send, settle, servers, answers, closed, clock } = stageOf(make);
      const [a] = [join(1), join(2)];
      settle();
      send(a, "2");
      const drained = servers.map((server) => server.close());
      settle();
      await Promise.all(drained);
      expect(answers).toMatchObject([{ session: a, aggregate: "2" }]);
      expect(closed).toMatchObject([{ closedBy: "shutdown" }]);
      expect(clock.pending).toBe(0);
    });
  });

  describe(`${name}: eager rounds`, () => {
    it("take what came in one turn, and wait for nobody", () => {
      const { join, send, settle, endTurn, answers } = stageOf(make, { policy: "eager" });
      const [a, b, c] = [join(1), join(2), join(3)];
      send(a, "2");
      send(b, "3");
      settle();
      endTurn();
      settle();
      expect(answers.map(({ round, aggregate }) => [round, aggregate])).toEqual([
        [1, "6"],
        [1, "6"],
      ]);
      send(c, "5");
      settle();
      endTurn();
      settle();
      expect(answers[2]).toMatchObject({ round: 2, aggregate: "5" });
      endTurn();
      settle();
      expect(answers).toHaveLength(3);
    });
  });

  describe(`${name}: however messages, departures and deadlines interleave`, () => {
    const step = fc.record({
      op: fc.constantFrom(
        "send",
        "send",
        "send",
        "cover",
        "leave",
        "supersede",
        "time",
        "turn",
        "deliver",
        "deliver",
        "deliver",
      ),
      client: fc.nat(4),
      choice: fc.nat(5),
    });

    it.each(["barrier", "eager"] as const)(
      "%s: what was acknowledged counted in exactly one round, the one that its client was told",
      (policy) => {
        fc.assert(
          fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
            const stage = stageOf(make, { policy });
            const { clock, closed, answers, deliver, settle, endTurn } = stage;
            const sessions = new Map<number, RoundSession>();
            const busy = new Set<RoundSession>();
            const sentBy = new Map<string, number>();
            const primes = [...PRIMES];
            const current = (client: number) => {
              const session = sessions.get(client) ?? stage.join(client);
              sessions.set(client, session);
              return session;
            };
            for (const { op, client, choice } of steps) {
              for (const { session } of answers) busy.delete(session);
              const before = answers.length;
              if (op === "send" || op === "cover") {
                const session = current(client);
                if (busy.has(session)) continue;
                const prime = op === "cover" ? null : (primes.shift() ?? null);
                if (prime !== null) sentBy.set(String(prime), client);
                busy.add(session);
                stage.send(session, prime === null ? null : String(prime));
              } else if (op === "leave" || op === "supersede") {
                const session = sessions.get(client);
                if (session === undefined) continue;
                sessions.delete(client);
                // The newer session is live before the older one ends.
                if (op === "supersede") current(client);
                stage.leave(session);
              } else if (op === "time") clock.advance(100 + 300 * choice);
              else if (op === "turn") endTurn();
              else deliver(choice);
              for (const { session } of answers.slice(before)) busy.delete(session);
            }
            settle();
            endTurn();
            clock.advance(1_000);
            settle();

            const counted = new Map<string, number>();
            for (const { round, product, contributors } of closed) {
              let rest = BigInt(product ?? 0);
              const clients = new Set<number | undefined>();
              for (const [prime, client] of sentBy) {
                if (rest % BigInt(prime) !== 0n) continue;
                rest /= BigInt(prime);
                expect(counted.has(prime)).toBe(false);
                counted.set(prime, round);
                clients.add(client);
              }
              // Nothing else is in the product, nothing twice, and one value a client.
              expect(rest).toBe(1n);
              expect(clients.size).toBe(contributors);
            }
            for (const { round, value, aggregate } of answers) {
              expect(aggregate).toBe(closed[round - 1]?.product);
              if (value !== null) expect(counted.get(value)).toBe(round);
            }
            // Who was still there has been answered.
            for (const { session } of answers) busy.delete(session);
            for (const session of sessions.values()) expect(busy.has(session)).toBe(false);
          }),
          { numRuns: 300 },
        );
      },
    );
  });
}
