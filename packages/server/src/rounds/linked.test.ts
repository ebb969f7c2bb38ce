import type { ClientId, Epoch } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import type { RoundSession } from "./backend.ts";
import { LinkedRounds, type RoundsReply, type RoundsRequest } from "./linked.ts";
import { Rounds } from "./rounds.ts";
import { RoundsSeat, tellSeats } from "./seat.ts";
import { type MakeRounds, roundsConformance, stageOf } from "./testing/conformance.ts";

/** Two servers, whose messages travel as JSON and arrive when the test says so, each way in order. */
const linked: MakeRounds = (options, { clock, onRound, defer }) => {
  const rounds = new Rounds<RoundsSeat>({
    ...options,
    clock,
    defer,
    onClosed: (round, owed) => {
      onRound(round);
      tellSeats(round, owed);
    },
  });
  const queues: { messages: string[]; arrive: (message: string) => void }[] = [];
  const servers = [0, 1].map(() => {
    const up = { messages: [] as string[], arrive: (text: string) => seat.receive(JSON.parse(text)) };
    const down = { messages: [] as string[], arrive: (text: string) => server.receive(JSON.parse(text)) };
    queues.push(up, down);
    const server = new LinkedRounds(1 << 20, (message: RoundsRequest) => {
      up.messages.push(JSON.stringify(message));
    });
    const seat = new RoundsSeat(rounds, (message: RoundsReply) => {
      down.messages.push(JSON.stringify(message));
    });
    return server;
  });
  return {
    servers,
    deliver: (choice) => {
      const waiting = queues.filter(({ messages }) => messages.length > 0);
      const queue = waiting[choice % Math.max(waiting.length, 1)];
      const message = queue?.messages.shift();
      if (message !== undefined) queue?.arrive(message);
      return message !== undefined;
    },
  };
};

roundsConformance("LinkedRounds", linked);

function joinOf(client: number): RoundsRequest {
  return {
    type: "join",
    session: client,
    clientId: client as ClientId,
    epoch: 0 as Epoch,
    generation: "1f",
  };
}

describe("LinkedRounds", () => {
  it("answers with a round what was in it, and not what its answers made clients send", () => {
    const server = new LinkedRounds(1 << 20, () => {});
    const sessions = [1, 2].map((id) => ({
      id,
      clientId: id as ClientId,
      epoch: 0 as Epoch,
      generation: null,
    }));
    const rounds: number[] = [];
    const send = (session: RoundSession) =>
      server.contribute(session, null, (message) => {
        rounds.push((JSON.parse(new TextDecoder().decode(message)) as { round: number }).round);
        // Each answer makes its client send: one that is answered with the same round would go on for ever.
        expect(rounds.length).toBeLessThanOrEqual(4);
        send(session);
      });
    const close = (round: number, upTo: number) => {
      const aggregate = { round, product: null, also: {}, contributors: 0 };
      server.receive({ type: "round-closed", upTo, aggregate });
    };
    for (const session of sessions) send(session);
    close(1, 1);
    expect(rounds).toEqual([1]);
    close(2, 3);
    expect(rounds).toEqual([1, 2, 2]);
    close(3, 4);
    expect(rounds).toEqual([1, 2, 2, 3]);
  });
});

describe("a seat", () => {
  function seatWith(clients: readonly number[]) {
    const replies: RoundsReply[] = [];
    const rounds = new Rounds<RoundsSeat>({ onClosed: tellSeats });
    const seat = new RoundsSeat(rounds, (reply) => replies.push(reply));
    for (const client of clients) seat.receive(joinOf(client));
    const contribute = (session: number, value: string) =>
      seat.receive({ type: "contribute", session, value: [value, 0] });
    return { rounds, seat, replies, contribute };
  }

  it("answers a round in one reply, whoever was in it", () => {
    const { replies, contribute } = seatWith([1, 2, 3]);
    for (const [i, value] of ["2", "3", "5"].entries()) contribute(i + 1, value);
    expect(replies).toEqual([
      {
        type: "round-closed",
        upTo: 3,
        aggregate: { round: 1, product: "30", also: {}, contributors: 3 },
      },
    ]);
  });

  it("does not count what an expelled session goes on to send, and waits for it no more", () => {
    const { rounds, seat, replies, contribute } = seatWith([1, 2]);
    seat.expel(2);
    contribute(2, "7");
    expect(rounds.open).toBeNull();
    contribute(1, "3");
    expect(replies).toMatchObject([{ upTo: 2, aggregate: { product: "3", contributors: 1 } }]);
  });

  it("whose sessions are all gone holds nobody up, and takes nothing out", () => {
    const { rounds, seat, contribute } = seatWith([1, 2]);
    const other = new RoundsSeat(rounds, () => {});
    other.receive(joinOf(3));
    contribute(1, "2");
    other.receive({ type: "contribute", session: 3, value: ["5", 0] });
    expect(rounds.open).toMatchObject({ contributors: 2, waitingFor: 1 });
    for (const id of [1, 2]) seat.expel(id);
    expect(rounds.open).toBeNull();
  });
});

describe("stageOf", () => {
  it("holds messages back until they are delivered", () => {
    const { join, send, settle, answers } = stageOf(linked);
    send(join(1), "2");
    expect(answers).toEqual([]);
    settle();
    expect(answers).toHaveLength(1);
  });
});
