import type { ClientId, Epoch } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import type { SessionInfo } from "../endpoint.ts";
import { EventBus, type PawlServerEvent } from "../events.ts";
import { createMemoryStore } from "../keys/memory.ts";
import { defaultLimits } from "../options.ts";
import { OwnCommons } from "../own-commons.ts";
import { Rounds, type RoundsSeat, tellSeats } from "../rounds/index.ts";
import { commonsConformance, FakeMember } from "../testing/commons-conformance.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { inTime } from "../testing/in-time.ts";
import { LinkedCommons } from "./linked-commons.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";
import { WorkerSeat } from "./worker-seat.ts";

commonsConformance("LinkedCommons", (commons, events) => {
  const rounds = new Rounds<RoundsSeat>({ onClosed: tellSeats });
  const keys = createMemoryStore();
  const queue: (() => void)[] = [];
  const processes = [1, 2].map((worker) => {
    const members = new Map<number, FakeMember>();
    const linked = new LinkedCommons((message) => {
      const text = JSON.stringify(message);
      queue.push(() => seat.receive(JSON.parse(text)));
    });
    const send = (message: ToWorker) => {
      const text = JSON.stringify(message);
      queue.push(() => hear(JSON.parse(text)));
    };
    const seat = new WorkerSeat(worker, { keys, commons, rounds, events }, send, () => {});
    const hear = (message: ToWorker) => {
      if (message.type === "standing") linked.answered(message.ask, message.standing);
      else if (message.type === "terminate") members.get(message.id)?.terminate(message.reason);
      else if (message.type === "epoch-moved") members.get(message.id)?.epochMoved();
      else if (message.type === "abort") members.get(message.id)?.abort();
    };
    return { linked, seat, members };
  });
  return {
    servers: processes.map(({ linked }) => linked),
    arrived: (server, member, arrival) => {
      processes[server]?.members.set(member.id, member);
      processes[server]?.seat.arrived(arrival);
    },
    settle: () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) next();
    },
  };
});

describe("a worker's word of what is buffered", () => {
  it("comes when it is news", () => {
    const sent: ToPrimary[] = [];
    const linked = new LinkedCommons((message) => sent.push(message));
    const [one, other] = [new FakeMember(1), new FakeMember(2)];
    for (const bytes of [0, 5, 5, 0, 0, 7]) linked.buffers(one, bytes);
    linked.buffers(other, 5);
    expect(sent.map((message) => (message.type === "buffers" ? [message.id, message.bytes] : null))).toEqual([
      [1, 5],
      [1, 0],
      [1, 7],
      [2, 5],
    ]);
  });
});

describe("a worker's seat", () => {
  function setUp() {
    const events = new EventBus(new FakeClock());
    const seen: PawlServerEvent[] = [];
    events.onAny((event) => seen.push(event));
    const limits = defaultLimits(1 << 20);
    const commons = new OwnCommons({ clock: new FakeClock(), limits, maxClients: 10 }, events);
    const rounds = new Rounds<RoundsSeat>({ onClosed: tellSeats });
    const keys = createMemoryStore();
    const seats = [1, 2].map((worker) => {
      const sent: ToWorker[] = [];
      const dropped: number[] = [];
      const send = (message: ToWorker) => sent.push(message);
      const seat = new WorkerSeat(worker, { keys, commons, rounds, events }, send, (id) => dropped.push(id));
      return { seat, sent, dropped };
    });
    const [one, two] = seats;
    if (one === undefined || two === undefined) throw new RangeError("unreachable");
    /** All that a worker says of a connection whose client becomes live. */
    const live = (seat: WorkerSeat, id: number, client: number, epoch: number) => {
      const who = { clientId: client as ClientId, epoch: epoch as Epoch, generation: "7" };
      seat.arrived({ id, remoteAddress: "192.0.2.1", remotePort: id, limitKey: "192.0.2.1" });
      const said: Parameters<WorkerSeat["receive"]>[0][] = [
        { type: "greeted", id, gcm: false, ...who },
        { type: "join", session: id, ...who },
        { type: "live", id },
      ];
      for (const message of said satisfies ToPrimary[]) seat.receive(message);
    };
    const contribute = (seat: WorkerSeat, session: number, value: string) =>
      seat.receive({ type: "contribute", session, value: [value, 0] });
    return { one, two, commons, rounds, seen, live, contribute };
  }

  it("says that a session is superseded before it says what closed without it", () => {
    const { one, two, live, contribute } = setUp();
    live(one.seat, 1, 1, 0);
    live(one.seat, 2, 2, 0);
    contribute(one.seat, 1, "3");
    live(two.seat, 3, 1, 1);
    contribute(two.seat, 3, "5");
    contribute(one.seat, 2, "2");
    expect(one.sent.map(({ type }) => type)).toEqual(["terminate", "round-closed"]);
    const aggregate = { product: "10", contributors: 2 };
    expect(one.sent[1]).toMatchObject({ aggregate });
    expect(two.sent).toMatchObject([{ type: "round-closed", upTo: 1, aggregate }]);
  });

  it("says that a session ends before it says what closed because of that", () => {
    const { one, commons, live, contribute } = setUp();
    live(one.seat, 1, 1, 0);
    live(one.seat, 2, 2, 0);
    contribute(one.seat, 2, "2");
    commons.stored({ clientId: 1 as ClientId, now: null });
    expect(one.sent.map(({ type }) => type)).toEqual(["terminate", "round-closed"]);
  });

  it("has a connection closed that the worker may not have yet", () => {
    const { one } = setUp();
    const arrival = { remoteAddress: "192.0.2.1", remotePort: 1, limitKey: "192.0.2.1" };
    const { halfOpenPerAddress } = defaultLimits(1 << 20);
    for (let id = 1; id <= halfOpenPerAddress + 1; id++) one.seat.arrived({ id, ...arrival });
    expect(one.sent).toEqual([{ type: "abort", id: 1 }]);
    expect(one.dropped).toEqual([1]);
  });

  it("has no sessions where its worker does not answer in time", async () => {
    const { one } = setUp();
    const clock = new FakeClock();
    const [late, asked] = [one.seat.sessions(clock), one.seat.sessions(clock)];
    const session = { id: 1 } as SessionInfo;
    one.seat.receive({ type: "sessions", ask: 2, sessions: [session] });
    clock.advance(5_000);
    one.seat.receive({ type: "sessions", ask: 1, sessions: [session] });
    expect(await inTime("an answer", Promise.all([late, asked]), () => "")).toEqual([[], [session]]);
    expect(clock.pending).toBe(0);
  });

  it("does not count what a session sends after it was told to end", () => {
    const { one, two, live, contribute } = setUp();
    live(two.seat, 2, 1, 1);
    live(one.seat, 1, 1, 0);
    contribute(two.seat, 2, "5");
    contribute(one.seat, 1, "3");
    expect(two.sent).toMatchObject([{ type: "round-closed", aggregate: { product: "5", contributors: 1 } }]);
    expect(one.sent).toEqual([{ type: "terminate", id: 1, reason: "superseded" }]);
  });

  it("whose worker is gone gives back what its connections took, and says that they ended", async () => {
    const { one, two, rounds, seen, live, contribute } = setUp();
    live(one.seat, 1, 1, 0);
    live(two.seat, 2, 2, 0);
    one.seat.arrived({ id: 3, remoteAddress: "192.0.2.1", remotePort: 3, limitKey: "192.0.2.1" });
    contribute(two.seat, 2, "2");
    expect(rounds.open).toMatchObject({ waitingFor: 1 });
    const asked = one.seat.sessions(new FakeClock());
    one.seat.lost();
    expect(rounds.open).toBeNull();
    expect(one.seat.connections).toBe(0);
    expect(await inTime("an answer", asked, () => "")).toEqual([]);
    const common = { type: "session-ended", cause: "lost", worker: 1 };
    expect(seen).toMatchObject([
      { ...common, connection: 1, clientId: 1, live: true },
      { ...common, connection: 3, clientId: null, live: false },
    ]);
  });
});
