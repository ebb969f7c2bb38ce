import { type ClientId, utf8 } from "@pawl/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { type ClosedRound, Rounds, type RoundsPolicy } from "./rounds.ts";

interface Answer {
  round: number;
  value: string | null;
  aggregate: string;
  contributors: number;
}

/** Rounds with a clock of ours, and turns of the event loop that we end. */
function setUp(policy: RoundsPolicy = "barrier", aggregates?: ("sum" | "mean" | "min" | "max" | "count")[]) {
  const clock = new FakeClock();
  const closed: ClosedRound[] = [];
  const deferred: (() => void)[] = [];
  const rounds = new Rounds({
    policy,
    deadlineMs: 1_000,
    maxMessage: 1 << 20,
    clock,
    onRound: (round) => closed.push(round),
    defer: (callback) => deferred.push(callback),
    ...(aggregates === undefined ? {} : { aggregates }),
  });
  const answers: Answer[] = [];
  const send = (session: object, client: number, text: string, kind: "message" | "cover" = "message") =>
    rounds.contribute(session, client as ClientId, utf8(text), kind, (message) =>
      answers.push(JSON.parse(new TextDecoder().decode(message)) as Answer),
    );
  const endTurn = () => {
    for (const callback of deferred.splice(0)) callback();
  };
  return { rounds, clock, closed, answers, send, endTurn };
}

describe("barrier rounds", () => {
  it("close when every live session has sent one", () => {
    const { rounds, send, answers, closed } = setUp();
    const [a, b] = [{}, {}];
    rounds.join(a);
    rounds.join(b);
    send(a, 1, "2");
    expect(rounds.open).toEqual({ round: 1, contributors: 1, waitingFor: 1 });
    expect(answers).toEqual([]);
    send(b, 2, "3");
    expect(answers.map(({ aggregate, contributors }) => [aggregate, contributors])).toEqual([
      ["6", 2],
      ["6", 2],
    ]);
    expect(closed).toMatchObject([{ round: 1, closedBy: "complete", product: "6", covers: 0 }]);
    expect(rounds.open).toBeNull();
  });

  it("are told of before anybody is answered", () => {
    const order: string[] = [];
    const rounds = new Rounds({ maxMessage: 1 << 20, onRound: ({ round }) => order.push(`round ${round}`) });
    const session = {};
    rounds.join(session);
    rounds.contribute(session, 1 as ClientId, utf8("2"), "message", () => order.push("answer"));
    expect(order).toEqual(["round 1", "answer"]);
  });

  it("close at the deadline; what comes later counts in the next", () => {
    const { rounds, send, clock, answers, closed } = setUp();
    const [a, b] = [{}, {}];
    rounds.join(a);
    rounds.join(b);
    send(a, 1, "2");
    clock.advance(999);
    expect(answers).toEqual([]);
    clock.advance(1);
    expect(answers).toMatchObject([{ round: 1, aggregate: "2", contributors: 1 }]);
    send(b, 2, "3");
    clock.advance(1_000);
    expect(answers[1]).toMatchObject({ round: 2, aggregate: "3", contributors: 1 });
    expect(closed.map(({ closedBy, durationMs }) => [closedBy, durationMs])).toEqual([
      ["deadline", 1_000],
      ["deadline", 1_000],
    ]);
  });

  it("neither wait for a client that leaves, nor take its contribution out", () => {
    const { rounds, send, answers } = setUp();
    const [a, b, c] = [{}, {}, {}];
    for (const session of [a, b, c]) rounds.join(session);
    send(a, 1, "2");
    send(b, 2, "3");
    rounds.leave(a);
    expect(answers).toEqual([]);
    rounds.leave(c);
    expect(answers).toMatchObject([{ value: "3", aggregate: "6", contributors: 2 }]);
  });

  it("are answered when the server drains", () => {
    const { rounds, send, answers, closed, clock } = setUp();
    const [a, b] = [{}, {}];
    rounds.join(a);
    rounds.join(b);
    send(a, 1, "2");
    rounds.close();
    rounds.close();
    expect(answers).toHaveLength(1);
    expect(closed).toMatchObject([{ closedBy: "shutdown" }]);
    expect(clock.pending).toBe(0);
  });
});

describe("eager rounds", () => {
  it("take what came in one turn, and wait for nobody", () => {
    const { rounds, send, endTurn, answers } = setUp("eager");
    const [a, b, c] = [{}, {}, {}];
    for (const session of [a, b, c]) rounds.join(session);
    send(a, 1, "2");
    send(b, 2, "3");
    endTurn();
    expect(answers.map(({ round, aggregate }) => [round, aggregate])).toEqual([
      [1, "6"],
      [1, "6"],
    ]);
    send(c, 3, "5");
    endTurn();
    expect(answers[2]).toMatchObject({ round: 2, aggregate: "5" });
    endTurn();
    expect(answers).toHaveLength(3);
  });
});

describe("other aggregates", () => {
  it("stand beside the product", () => {
    const { rounds, send, answers } = setUp("barrier", ["sum", "mean", "min", "max", "count"]);
    const sessions = [{}, {}, {}];
    for (const session of sessions) rounds.join(session);
    for (const [i, text] of ["1", "-2.5", "abc"].entries()) send(sessions[i] ?? {}, i + 1, text);
    expect(answers[0]).toMatchObject({
      aggregate: "-7.5",
      also: { sum: "1.5", mean: "0.5", min: "-2.5", max: "3", count: "3" },
    });
  });

  it("of covers alone have nothing to say but what the empty ones do", () => {
    const { rounds, send, answers } = setUp("barrier", ["sum", "mean", "min", "count"]);
    const a = {};
    rounds.join(a);
    send(a, 1, "17", "cover");
    expect(answers[0]).toMatchObject({
      value: null,
      aggregate: "1",
      also: { sum: "0", mean: null, min: null, count: "0" },
    });
  });
});

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
          const sessions = new Map<number, { busy: boolean }>();
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
            const session = sessions.get(client) ?? { busy: false };
            if (!sessions.has(client)) {
              sessions.set(client, session);
              rounds.join(session);
            }
            if (session.busy) return;
            session.busy = true;
            if (kind === "message") pending.set(client, value);
            rounds.contribute(session, (client + 1) as ClientId, utf8(String(value)), kind, (message) => {
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
                const next = { busy: false };
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
          rounds.close();
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
