import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { inTime } from "../packages/server/src/testing/in-time.ts";
import { pawl, pawlOnce } from "./support/pawl.ts";
import { RawConnection } from "./support/raw.ts";
import {
  type FleetClient,
  folderWithHome,
  isRunning,
  startWorkerFleet,
  type WorkerFleet,
} from "./support/worker-fleet.ts";

/** Several processes as one server: `pawl serve --workers 2`, and clients over real sockets. */

let fleet: WorkerFleet | null = null;
afterEach(async () => {
  await fleet?.close();
  fleet = null;
});

const PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71];
const productOf = (values: readonly number[]) =>
  values.reduce((product, value) => product * BigInt(value), 1n).toString();

/** Connects clients 1 … count, and has each become live. */
async function connectAll(fleet: WorkerFleet, count: number): Promise<FleetClient[]> {
  const sessions: FleetClient[] = [];
  for (let id = 1; id <= count; id++) sessions.push(await fleet.connect(id));
  await fallIn(fleet, sessions, count);
  return sessions;
}

/** Ones, until all are in the same round; where `live` sessions have become live, nobody else is waited for. */
async function fallIn({ event }: WorkerFleet, sessions: readonly FleetClient[], live: number): Promise<void> {
  let latest = 0;
  let last = Number.POSITIVE_INFINITY;
  const inStep = Promise.all(
    sessions.map(async (session) => {
      for (let round = 0; round < last; ) {
        round = (await session.send("1")).round;
        latest = Math.max(latest, round);
      }
    }),
  );
  // Where the wait below fails, that is what there is to tell.
  inStep.catch(() => {});
  await event("session-live", () => true, live);
  // From here on all are in every round, so that all see this one.
  last = latest + 2;
  await inStep;
}

/** The worker that has each of these clients' live sessions, by client id. */
function workersOf({ events }: WorkerFleet): Map<number, number | undefined> {
  return new Map(
    events().flatMap((event) => (event.type === "session-live" ? [[event.clientId, event.worker]] : [])),
  );
}

describe("two workers", () => {
  it("spread twenty clients, and hold one round over all of them", { timeout: 60_000 }, async () => {
    fleet = await startWorkerFleet(20, { serve: ["--round-deadline", "60s"] });
    const sessions = await connectAll(fleet, 20);
    const workers = [...workersOf(fleet).values()];
    expect(workers.filter((worker) => worker === 1)).toHaveLength(10);
    expect(workers.filter((worker) => worker === 2)).toHaveLength(10);
    const connections = fleet.events().flatMap((event) => (event.type === "connection" ? [event] : []));
    expect(new Set(connections.map(({ connection }) => connection)).size).toBe(20);
    for (let round = 0; round < 5; round++) {
      const values = PRIMES.map((_, index) => PRIMES[(index + round) % PRIMES.length] ?? 1);
      const answers = await Promise.all(sessions.map((session, i) => session.send(String(values[i]))));
      for (const [i, answer] of answers.entries()) {
        expect(answer).toMatchObject({
          round: answers[0]?.round,
          value: String(values[i]),
          aggregate: productOf(PRIMES),
          contributors: 20,
        });
      }
    }
    const rounds = await fleet.event("round", ({ aggregate }) => aggregate === productOf(PRIMES), 5);
    expect(rounds.every(({ closedBy }) => closedBy === "complete")).toBe(true);
  });

  it("are one for a client: its new session in one ends its old one in the other", async () => {
    fleet = await startWorkerFleet(2, { serve: ["--round-deadline", "60s"] });
    const [first, other] = await connectAll(fleet, 2);
    // The old session has sent, and waits for the other client when the new one sends.
    const unanswered = first?.send("3.0");
    await fleet.event("message", ({ clientId, bytes }) => clientId === 1 && bytes > 1);
    // The next connection goes to who has the fewest: the other worker, then.
    const stranger = await RawConnection.open(fleet.port);
    const second = await fleet.connect(1);
    stranger.destroy();
    const replaced = second.send("5");
    expect(await first?.ended()).toMatchObject({ by: "peer", reason: "superseded" });
    await expect(unanswered).rejects.toMatchObject({ mayHaveCounted: true });
    expect(await other?.send("2")).toMatchObject({ aggregate: "10", contributors: 2 });
    expect(await replaced).toMatchObject({ value: "5", aggregate: "10", contributors: 2 });
    const live = await fleet.event("session-live", ({ clientId }) => clientId === 1, 2);
    expect(new Set(live.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
  });

  it("keep one cap on live clients, and refuse classic's second connection whichever has the first", async () => {
    fleet = await startWorkerFleet(3, {
      serve: ["--max-clients", "2", "--allow-classic", "--rounds", "eager"],
      add: ["--suite", "classic", "--allow-classic"],
    });
    const sessions = await connectAll(fleet, 2);
    await expect(fleet.connect(3)).rejects.toMatchObject({ name: "HandshakeRefusedError" });
    await fleet.event("client-cap", ({ clientId, cap }) => clientId === 3 && cap === 2);
    // Twice, so that either worker has had the second connection of client 1.
    for (let i = 0; i < 2; i++)
      await expect(fleet.connect(1)).rejects.toMatchObject({ name: "HandshakeRefusedError" });
    const refused = await fleet.event("violation", ({ subject }) => subject !== null, 2);
    expect(refused.map(({ clientId, code }) => [clientId, code])).toEqual([
      [1, "PAWL_IDENTITY"],
      [1, "PAWL_IDENTITY"],
    ]);
    expect(await sessions[0]?.send("3")).toMatchObject({ aggregate: "3" });
  });

  it.runIf(process.platform === "linux")("are told no key by arguments or environment", async () => {
    fleet = await startWorkerFleet(1);
    const key = (await readFile(join(fleet.cwd, "pawl", "db.key"), "utf8")).trim();
    expect(key.length).toBeGreaterThan(40);
    for (const pid of [...fleet.pids(1), ...fleet.pids(2)])
      for (const what of ["cmdline", "environ"])
        expect(await readFile(`/proc/${pid}/${what}`, "latin1")).not.toContain(key);
  });

  it("keep one count of an address's half-open connections", async () => {
    fleet = await startWorkerFleet(1);
    const strangers: RawConnection[] = [];
    for (let i = 0; i < 70; i++) strangers.push(await RawConnection.open(fleet.port));
    const evicted = await fleet.event("half-open-evicted", () => true, 6);
    expect(evicted.every(({ limit }) => limit === "address")).toBe(true);
    expect(new Set(evicted.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
    for (const stranger of strangers.slice(0, 6))
      expect(await inTime("its connection to be closed", stranger.closed(), fleet.seen)).toBe("");
    expect(strangers.slice(6).some(({ socket }) => socket.destroyed)).toBe(false);
    for (const stranger of strangers) stranger.destroy();
  });

  it("end the session of a client that is revoked by another process", async () => {
    fleet = await startWorkerFleet(2, { serve: ["--rounds", "eager"] });
    const [first, second] = await connectAll(fleet, 2);
    const { cwd } = fleet;
    for (const [id, session] of [first, second].entries()) {
      expect((await pawlOnce(["keys", "revoke", String(id + 1), "--reason", "lost"], { cwd })).code).toBe(0);
      expect(await session?.ended()).toMatchObject({ by: "peer", reason: "revoked" });
    }
    await expect(fleet.connect(1)).rejects.toMatchObject({ name: "HandshakeRefusedError" });
    // Recorded by the primary, of which there is one.
    await expect
      .poll(async () => (await pawlOnce(["keys", "show", "1", "--json"], { cwd })).stdout)
      .toMatch(/"kind":"revoked-hello","count":1,/);
  });
});

describe("a worker that is killed", () => {
  it("holds no round up; its clients come back to what is there, and it is started again", async () => {
    fleet = await startWorkerFleet(4, { serve: ["--round-deadline", "60s"] });
    const sessions = await connectAll(fleet, 4);
    const workers = workersOf(fleet);
    const ids = [1, 2, 3, 4];
    const [lost, kept] = [1, 2].map((worker) => ids.filter((id) => workers.get(id) === worker));
    if (lost === undefined || kept === undefined) throw new Error("unreachable");
    expect([lost.length, kept.length]).toEqual([2, 2]);
    const sessionOf = (id: number) => sessions[id - 1] as FleetClient;
    // One client of the worker has sent and one has not when it is killed.
    const unanswered = sessionOf(lost[0] ?? 0).send("3.0");
    await fleet.event("message", ({ clientId, bytes }) => clientId === lost[0] && bytes > 1);
    const waiting = kept.map((id) => sessionOf(id).send("5.0"));
    await fleet.event("message", ({ clientId, bytes }) => clientId === kept[1] && bytes > 1);
    const [pid = 0] = fleet.pids(1);
    process.kill(pid, "SIGKILL");
    // What it had passed on counts, and nobody waits for those who are gone: the deadline is a minute away.
    for (const answer of await Promise.all(waiting))
      expect(answer).toMatchObject({ aggregate: "75", contributors: 3 });
    await expect(unanswered).rejects.toMatchObject({ mayHaveCounted: true });
    const [ended] = await fleet.event("worker-ended");
    expect(ended).toMatchObject({ worker: 1, pid, how: "SIGKILL" });
    expect(ended?.againInMs).toBeGreaterThan(0);
    await fleet.event("session-ended", ({ cause, live }) => live && cause === "lost", 2);

    await fleet.event("worker-started", ({ worker }) => worker === 1, 2);
    const back = [await fleet.connect(lost[0] ?? 0), await fleet.connect(lost[1] ?? 0)];
    const all = [...back, ...kept.map(sessionOf)];
    await fallIn(fleet, all, 6);
    const again = all.map((session) => session.send("2"));
    for (const answer of await Promise.all(again))
      expect(answer).toMatchObject({ aggregate: "16", contributors: 4 });
    const [, , , , fifth, sixth] = await fleet.event("session-live", () => true, 6);
    expect([fifth?.worker, sixth?.worker]).toContain(1);
  });
});

describe("the end of the primary", () => {
  it.each([
    ["SIGTERM", 0, ""],
    ["SIGINT", 130, "pawl: interrupted\n"],
  ] as const)("%s: every worker answers what is owed and ends its sessions", async (signal, code, stderr) => {
    fleet = await startWorkerFleet(4, { serve: ["--round-deadline", "60s"] });
    const sessions = await connectAll(fleet, 4);
    // Three of four have sent: the round is open when the signal comes.
    const waiting = sessions.slice(0, 3).map((session, i) => session.send(`${PRIMES[i]}.0`));
    await fleet.event("message", ({ bytes }) => bytes > 1, 3);
    const pids = [...fleet.pids(1), ...fleet.pids(2)];
    // As a terminal and a service manager do: to every process.
    for (const pid of pids) process.kill(pid, signal);
    fleet.server.child.kill(signal);
    const answers = await Promise.all(waiting);
    for (const answer of answers) expect(answer).toMatchObject({ aggregate: "30", contributors: 3 });
    for (const session of sessions) expect(await session.ended()).toMatchObject({ reason: "shutdown" });
    expect(await fleet.finished()).toMatchObject({ code, stderr });
    const types = fleet.events().map(({ type }) => type);
    for (const type of ["listening", "closing", "closed"] as const)
      expect(types.filter((one) => one === type)).toHaveLength(1);
    expect(types.at(-1)).toBe("closed");
    expect(
      fleet.events().filter((event) => event.type === "round" && event.closedBy === "shutdown"),
    ).toHaveLength(1);
    expect(pids.map(isRunning)).toEqual([false, false]);
  });

  it("SIGKILL: no worker outlives it, and the port is free", async () => {
    fleet = await startWorkerFleet(2);
    const sessions = await connectAll(fleet, 2);
    const pids = [...fleet.pids(1), ...fleet.pids(2)];
    fleet.server.child.kill("SIGKILL");
    for (const session of sessions) expect(await session.ended()).toMatchObject({ by: null });
    await expect.poll(() => pids.map(isRunning)).toEqual([false, false]);
    const again = createServer();
    again.listen(fleet.port, "127.0.0.1");
    await once(again, "listening");
    again.close();
  });
});

describe("a start", () => {
  let cwd = "";
  beforeAll(async () => {
    cwd = await folderWithHome(1);
  });
  afterAll(() => rm(cwd, { recursive: true, force: true }));

  /** `pawl serve` as a group of processes, to the end of all of them. */
  async function serve(
    args: readonly string[],
    meanwhile: (group: number) => Promise<void> = async () => {},
  ) {
    const server = pawl(["serve", ...args], { cwd, group: true });
    const group = -(server.child.pid ?? 0);
    const seen = () => `${server.stdout()}${server.stderr()}`;
    try {
      await meanwhile(group);
      const ended = await inTime(`the end of pawl serve ${args.join(" ")}`, server.finished, seen);
      await expect.poll(() => isRunning(group)).toBe(false);
      return ended;
    } finally {
      if (isRunning(group)) process.kill(group, "SIGKILL");
    }
  }

  it("on a port that is in use, or of another machine, is refused in one line, as by one process", async () => {
    const taken = createServer();
    taken.listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    for (const [listen, why] of [
      [`127.0.0.1:${port}`, "the port is in use; choose another one, or end the program that has it"],
      [`192.0.2.1:${port}`, "this machine has no such address"],
    ] as const) {
      const stderr = `pawl: cannot listen on ${listen}: ${why}\n`;
      for (const workers of ["1", "2"])
        for (const output of [["--log", "json"], ["--json"]])
          expect(await serve(["--workers", workers, "--listen", listen, ...output])).toEqual({
            code: 1,
            stdout: "",
            stderr,
          });
    }
    taken.close();
  });

  it.each([
    ["SIGINT", 130, "pawl: interrupted\n"],
    ["SIGTERM", 0, ""],
  ] as const)(
    "that %s breaks off is no failure, and leaves nothing running",
    async (signal, code, stderr) => {
      // The primary gets its key; its workers wait for theirs.
      const runs = join(cwd, `runs-${signal}`);
      const command = `echo >> ${runs}; [ $(wc -l < ${runs}) = 1 ] || exec sleep 60; cat pawl/db.key`;
      const args = ["--workers", "2", "--listen", "127.0.0.1:0", "--json", "--db-key-command", command];
      const ended = await serve(args, async (group) => {
        await expect.poll(() => readFile(runs, "utf8").catch(() => "")).toBe("\n\n\n");
        process.kill(group, signal);
      });
      expect(ended).toEqual({ code, stdout: "", stderr });
    },
  );
});
