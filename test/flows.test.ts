import { CLASSIC, STRICT, STRICT_GCM } from "@pawl/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { type Fleet, startFleet } from "./support/fleet.ts";

let fleet: Fleet;
afterEach(() => fleet.close());

describe.each([CLASSIC, STRICT, STRICT_GCM])("over real sockets, suite $name", (suite) => {
  it("HELLO, CHALLENGE, rounds with the exact product, a clean end, and a next session", async () => {
    fleet = await startFleet(3, { suite, rounds: { policy: "barrier", deadlineMs: 200 } });
    for (let visit = 0; visit < 3; visit++) {
      const clients = await Promise.all([0, 1, 2].map((index) => fleet.connect(index)));
      // A round closes when every live session has sent one, and a session is live from its first DATA on.
      const inputs = ["1 2 3", "0.1 0.2", "weather"];
      const rounds = await Promise.all(clients.map((client, index) => client.send(inputs[index] ?? "")));
      const again = await Promise.all(clients.map((client, index) => client.send(inputs[index] ?? "")));
      expect(rounds.map((round) => round.value)).toEqual(["6", "0.3", "7"]);
      for (const { aggregate, contributors } of again) {
        expect({ aggregate, contributors }).toEqual({ aggregate: "12.6", contributors: 3 });
      }
      await Promise.all(clients.map((client) => client.close()));
      if (suite.strict) {
        for (const index of [1, 2, 3]) expect((await fleet.keys.get(index as never))?.epoch).toBe(visit + 1);
      }
      await expect.poll(() => fleet.server.sessions().length).toBe(0);
    }
    expect(fleet.events.filter((event) => event.type === "violation")).toEqual([]);
  });

  it("a large message each way, after the first", async () => {
    fleet = await startFleet(1, { suite, onMessage: (_session, message) => message });
    const client = await fleet.connect(0);
    await client.request(new Uint8Array(10));
    const large = new Uint8Array(1 << 20).map((_, index) => index);
    expect(Buffer.from(await client.request(large)).equals(Buffer.from(large))).toBe(true);
    await client.close();
  });
});

describe("a hundred clients at once", () => {
  it("for fifty rounds, every aggregate equal to an independent calculation", async () => {
    fleet = await startFleet(100, {
      rounds: { policy: "barrier", deadlineMs: 2_000 },
      // All of them come from one address here.
      limits: { halfOpenPerAddress: 200 },
    });
    const clients = await Promise.all(fleet.credentials.map((_, index) => fleet.connect(index)));
    // The first message makes each session live; the rounds that count here start when all of them are.
    await Promise.all(clients.map((client) => client.send("1")));
    for (let round = 0; round < 50; round++) {
      const values = clients.map((_, index) => ((index * 7 + round * 13) % 9) + 1);
      const expected = values.reduce((product, value) => product * BigInt(value), 1n).toString();
      const inputs = values.map((value) => `${value - 1} 0.5,0.5`);
      const results = await Promise.all(clients.map((client, index) => client.send(inputs[index] ?? "")));
      expect(new Set(results.map((result) => result.aggregate))).toEqual(new Set([expected]));
      expect(new Set(results.map((result) => result.contributors))).toEqual(new Set([100]));
      expect(results.map((result) => result.value)).toEqual(values.map(String));
    }
    expect(fleet.server.sessions()).toHaveLength(100);
  });
});
