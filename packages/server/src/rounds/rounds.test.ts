import { type ClientId, type Epoch, utf8 } from "@pawl/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { LocalRounds } from "./local.ts";
import { type ClosedRound, Rounds, type RoundsPolicy } from "./rounds.ts";
import { type MakeRounds, roundsConformance, stageOf } from "./testing/conformance.ts";
import { messageValue } from "./value.ts";

const local: MakeRounds = (options, stage) => {
  const rounds = new LocalRounds({ ...options, ...stage, maxMessage: 1 << 20 });
  return { servers: [rounds], deliver: () => false };
};

roundsConformance("LocalRounds", local);

/** Sessions of a client come one after the other: each is an epoch further. */
const sessionOf = (client: number, epoch = 0) => ({
  id: epoch,
  clientId: client as ClientId,
  epoch: epoch as Epoch,
  generation: 7n,
});

describe("the open round", () => {
  it("says how many it waits for", () => {
    const rounds = new Rounds<null>({ onClosed: () => {} });
    const [a, b] = [sessionOf(1), sessionOf(2)];
    rounds.join(a);
    rounds.join(b);
    expect(rounds.open).toBeNull();
    rounds.contribute(a, messageValue(utf8("2")), null);
    expect(rounds.open).toEqual({ round: 1, contributors: 1, waitingFor: 1 });
    rounds.leave(b);
    expect(rounds.open).toBeNull();
  });

  it("is told of before anybody is answered", () => {
    const order: string[] = [];
    const rounds = new LocalRounds({
      maxMessage: 1 << 20,
      clock: new FakeClock(),
      onRound: ({ round }) => order.push(`round ${round}`),
    });
    const session = sessionOf(1);
    rounds.join(session);
    rounds.contribute(session, messageValue(utf8("2")), () => order.push("answer"));
    expect(order).toEqual(["round 1", "answer"]);
  });
});

describe("a client's older session", () => {
  function productOf(...sessions: readonly (readonly [epoch: number, generation: bigint, value: string])[]) {
    const closed: ClosedRound[] = [];
    const rounds = new Rounds<string>({ onClosed: (round) => closed.push(round) });
    for (const [epoch, generation, value] of sessions) {
      const session = { ...sessionOf(1, epoch), generation };
      rounds.join(session);
      rounds.join(sessionOf(2));
      rounds.contribute(session, messageValue(utf8(value)), value);
    }
    rounds.close();
    return closed[0]?.product;
  }

  it("does not take back what its newer one sent, whichever is heard of first", () => {
    expect(productOf([0, 7n, "2"], [1, 7n, "3"])).toBe("3");
    expect(productOf([1, 7n, "3"], [0, 7n, "2"])).toBe("3");
  });

  it("is not told by its epoch where the client was reissued between the two", () => {
    expect(productOf([9, 7n, "2"], [0, 8n, "3"])).toBe("3");
  });
});

describe("other aggregates", () => {
  it("stand beside the product", () => {
    const { join, send, answers } = stageOf(local, { aggregates: ["sum", "mean", "min", "max", "count"] });
    const sessions = [join(1), join(2), join(3)];
    for (const [i, session] of sessions.entries()) send(session, ["1", "-2.5", "abc"][i] ?? "");
    expect(answers[0]).toMatchObject({
      aggregate: "-7.5",
      also: { sum: "1.5", mean: "0.5", min: "-2.5", max: "3", count: "3" },
    });
  });

  it("of covers alone have nothing to say but what the empty ones do", () => {
    const { join, send, answers } = stageOf(local, { aggregates: ["sum", "mean", "min", "count"] });
    send(join(1), null);
    expect(answers[0]).toMatchObject({
      value: null,
      aggregate: "1",
      also: { sum: "0", mean: null, min: null, count: "0" },
    });
  });
});

interface Answer {
  round: number;
  value: string | null;
  aggregate: string;
}

/** Rounds with a clock of ours, and turns of the event loop that we end. */
function setUp(policy: RoundsPolicy) {
  const clock = new FakeClock();
  const closed: ClosedRound[] = [];
  const deferred: (() => void)[] = [];
  const rounds = new LocalRounds({
    policy,
    deadlineMs: 1_000,
    maxMessage: 1 << 20,
    clock,
    onRound: (round) => closed.push(round),
    defer: (callback) => deferred.push(callback),
  });
  const endTurn = () => {
    for (const callback of deferred.splice(0)) callback();
  };
  return { rounds, clock, closed, endTurn };
}

describe("however arrivals, departures and deadlines interleave", () => {
  /** A client sends when it can, leaves and comes back; time passes; turns end. */
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        op: fc.constant("send" as const),
        client: fc.nat(4),
        value: fc.integer({ min: -9, max: 9 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ op: fc.constant("cover" as const), client: fc.nat(4), value: fc.constant(0) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ op: fc.constant("leave" as const), client: fc.nat(4), value: fc.constant(0) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant("supersede" as const),
        client: fc.nat(4),
        value: fc.integer({ min: -9, max: 9 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant("time" as const),
        client: fc.constant(0),
        value: fc.integer({ min: 100, max: 1_500 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant("turn" as const),
        client: fc.constant(0),
        value: fc.constant(0),
      }),
    },
  );

  it.each(["barrier", "eager"] as const)(
    "%s: every acknowledged contribution counts in exactly one round",
    (policy) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
          const { rounds, clock, closed, endTurn } = setUp(policy);
          let ids = 0;
          const newSession = (client: number) => ({
            ...sessionOf(client + 1, ids++),
            busy: false,
          });
          const sessions = new Map<number, ReturnType<typeof newSession>>();
          /** What each answered session was told, and what it had sent. */
          const acknowledged: { round: number; value: number; told: string | null; aggregate: string }[] = [];
          /** What was sent and may count: by client, the last one before its round closes. */
          const pending = new Map<number, number>();
          const counted = new Map<number, number[]>();
          let lastClosed = 0;
          const settle = () => {
            for (const { round } of closed.slice(lastClosed)) {
              counted.set(round, [...pending.values()]);
              pending.clear();
            }
            lastClosed = closed.length;
          };
          const send = (client: number, value: number, kind: "message" | "cover") => {
            const session = sessions.get(client) ?? newSession(client);
            if (!sessions.has(client)) {
              sessions.set(client, session);
              rounds.join(session);
            }
            if (session.busy) return;
            session.busy = true;
            if (kind === "message") pending.set(client, value);
            const sent = kind === "cover" ? null : messageValue(utf8(String(value)));
            rounds.contribute(session, sent, (message) => {
              session.busy = false;
              const answer = JSON.parse(new TextDecoder().decode(message)) as Answer;
              if (kind === "message") {
                acknowledged.push({
                  round: answer.round,
                  value,
                  told: answer.value,
                  aggregate: answer.aggregate,
                });
              }
            });
            settle();
          };
          for (const { op, client, value } of steps) {
            const session = sessions.get(client);
            if (op === "send" || op === "cover") send(client, value, op === "cover" ? "cover" : "message");
            else if (op === "time") clock.advance(value);
            else if (op === "turn") endTurn();
            else if (session !== undefined) {
              // The newer session is live before the older one ends.
              if (op === "supersede") {
                const next = newSession(client);
                rounds.join(next);
                sessions.set(client, next);
                rounds.leave(session);
                settle();
                send(client, value, "message");
              } else {
                sessions.delete(client);
                rounds.leave(session);
              }
            }
            settle();
            if (policy === "barrier" && rounds.open !== null) {
              // It waits for those who owe it a message, and for nobody else.
              const owing = [...sessions.values()].filter(({ busy }) => !busy).length;
              expect(owing).toBeGreaterThan(0);
              expect(rounds.open.waitingFor).toBe(owing);
            }
          }
          void rounds.close();
          endTurn();
          settle();

          expect(closed.map(({ round }) => round)).toEqual(closed.map((_, index) => index + 1));
          let everything = 1n;
          let published = 1n;
          for (const { round, product, contributors } of closed) {
            const values = counted.get(round) ?? [];
            expect(contributors).toBe(values.length);
            const expected = values.reduce((all, value) => all * BigInt(value), 1n);
            expect(product).toBe(expected.toString());
            everything *= expected;
            published *= BigInt(product ?? 0);
            for (const { value, told, aggregate } of acknowledged.filter((a) => a.round === round)) {
              expect(told).toBe(String(value));
              expect(aggregate).toBe(product);
              expect(values).toContain(value);
            }
          }
          expect(published).toBe(everything);
          expect(pending.size).toBe(0);
          // Every session that was still there has been answered.
          expect([...sessions.values()].some(({ busy }) => busy)).toBe(false);
        }),
        { numRuns: 300 },
      );
    },
  );
});
