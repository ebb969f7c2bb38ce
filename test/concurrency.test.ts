import { connect, memoryCredential } from "@pawl/client";
import { CLASSIC, type Epoch, STRICT } from "@pawl/protocol";
import { createMemoryStore } from "@pawl/server/keys";
import { afterEach, describe, expect, it } from "vitest";
import { type Fleet, startFleet } from "./support/fleet.ts";

let fleet: Fleet;
afterEach(() => fleet.close());

/** The same credential, held twice: a copy, as a thief or a restored backup has it. */
async function twoHolders() {
  const keys = createMemoryStore();
  fleet = await startFleet(0, { keys, rounds: { policy: "eager" } });
  const secret = new Uint8Array(32).fill(5);
  await keys.add([{ clientId: 7 as never, suite: STRICT, secret }]);
  const copy = () =>
    memoryCredential({
      suite: STRICT,
      clientId: 7 as never,
      epoch: 0 as Epoch,
      secret,
      last: new Uint8Array(16),
    });
  return Promise.all(
    [copy(), copy()].map((credential) => connect({ credential, host: "127.0.0.1", port: fleet.port })),
  );
}

describe("two connections of one client at once", () => {
  it("one wins the epoch, the other ends with conflict, and the clone is reported", async () => {
    const holders = await twoHolders();
    const results = await Promise.allSettled(holders.map((holder) => holder.send("6")));
    expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
    const lost = results.find((result) => result.status === "rejected");
    expect(lost?.reason).toMatchObject({ reason: "conflict", mayHaveCounted: false });
    expect(await fleet.event("clone-detected")).toMatchObject({ clientId: 7 });
    expect((await fleet.keys.get(7 as never))?.epoch).toBe(1);
    await Promise.allSettled(holders.map((holder) => holder.close()));
  });

  it("the newer session of the client itself supersedes the older one, once it is proved", async () => {
    fleet = await startFleet(1, { rounds: { policy: "eager" } });
    const first = await fleet.connect(0);
    await first.send("2");
    const second = await fleet.connect(0);
    // Half-open, it displaces nobody.
    await first.send("3");
    expect((await second.send("4")).aggregate).toBe("4");
    expect(await first.closed).toMatchObject({ reason: "superseded" });
    expect(fleet.server.sessions()).toHaveLength(1);
    await second.close();
  });

  it("classic refuses the second one", async () => {
    fleet = await startFleet(1, { suite: CLASSIC, rounds: { policy: "eager" } });
    const first = await fleet.connect(0);
    await first.send("2");
    await expect(fleet.connect(0)).rejects.toMatchObject({ name: "HandshakeRefusedError" });
    expect(await fleet.event("violation")).toMatchObject({ code: "PAWL_IDENTITY" });
    expect((await first.send("3")).aggregate).toBe("3");
    await first.close();
  });
});
