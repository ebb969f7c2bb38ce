import { type CredentialStore, connect, memoryCredential } from "@pawl/client";
import { type ClientId, type Epoch, STRICT } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { createMemoryStore } from "@pawl/server/keys";
import { afterEach, describe, expect, it } from "vitest";
import { ClientPeer } from "../packages/protocol/src/testing/peers.ts";
import { type Fleet, startFleet } from "./support/fleet.ts";
import { RawConnection } from "./support/raw.ts";
import { withMethods } from "./support/stores.ts";

/** What an operator learns of copies of a credential, and how much an attacker can make of it. */

let fleet: Fleet;
afterEach(() => fleet?.close());

const eager = { rounds: { policy: "eager" as const } };
const id = 1 as ClientId;

/** The owner and a thief with a copy, both past CHALLENGE. */
async function ownerAndThief() {
  const stolen = await (fleet.credentials[0] as CredentialStore).load();
  const thief = await connect({ credential: memoryCredential(stolen), host: "127.0.0.1", port: fleet.port });
  return { owner: await fleet.connect(0), thief };
}

/** HELLO at epoch 0, as it was recorded or a copy would make it. */
async function oldHello(): Promise<Uint8Array> {
  const stored = await fleet.keys.lookUp(id);
  const client = new ClientPeer(
    {
      suite: STRICT,
      clientId: id,
      epoch: 0 as Epoch,
      secret: stored?.secret ?? new Uint8Array(32),
      last: new Uint8Array(16),
    },
    () => ({ nonce: systemRandom(32), iv: systemRandom(16) }),
  );
  client.start();
  return client.sent[0] ?? new Uint8Array();
}

async function flood(hello: Uint8Array, times: number): Promise<void> {
  for (let sent = 0; sent < times; sent += 50) {
    const connections = await Promise.all(Array.from({ length: 50 }, () => RawConnection.open(fleet.port)));
    for (const connection of connections) connection.write(hello);
    for (const connection of connections) expect(await connection.closed()).toBe("");
  }
}

describe("a cloned credential", () => {
  it("is recorded at the next contact of the two, with where it came from", async () => {
    fleet = await startFleet(1, eager);
    const { owner, thief } = await ownerAndThief();
    await owner.send("1");
    await expect(thief.send("2")).rejects.toMatchObject({ reason: "conflict" });
    expect(await fleet.event("clone-detected")).toMatchObject({ clientId: 1, epoch: 0, stored: 1 });
    await expect
      .poll(() => fleet.keys.alarms(id), { timeout: 5_000 })
      .toMatchObject([{ kind: "clone-detected", count: 1, epoch: 0, stored: 1, remoteAddress: "127.0.0.1" }]);
    expect((await fleet.keys.get(id))?.revoked).toBeNull();
    expect((await owner.send("3")).value).toBe("3");
    await thief.close();
  });

  it("is revoked where the operator wants that, and both sessions with it", async () => {
    fleet = await startFleet(2, { ...eager, onClone: "revoke" });
    const other = await fleet.connect(1);
    const { owner, thief } = await ownerAndThief();
    await owner.send("1");
    await expect(thief.send("2")).rejects.toMatchObject({ reason: "conflict" });
    expect(await owner.closed).toMatchObject({ reason: "revoked", by: "peer" });
    expect(await fleet.event("clone-revoked")).toMatchObject({ clientId: 1, epoch: 0 });
    expect((await fleet.keys.get(id))?.revoked?.reason).toBe(
      "clone detected: a session at epoch 0 from 127.0.0.1, 1 stored",
    );
    await expect(fleet.connect(0)).rejects.toMatchObject({ name: "HandshakeRefusedError" });
    expect((await other.send("3")).value).toBe("3");
  });
});

describe("a flood", () => {
  const limits = { handshakeBurst: 100_000, handshakesPerSecond: 100_000, halfOpenPerAddress: 100 };

  /** A store that counts how often it is told of alarms. */
  function counting() {
    const memory = createMemoryStore();
    const writes = { count: 0 };
    const keys = withMethods(memory, {
      alarm: (alarm) => {
        writes.count++;
        return memory.alarm(alarm);
      },
    });
    return { keys, writes };
  }
  const tally = async () => (await fleet.keys.alarms(id)).map(({ kind, count }) => `${kind} ${count}`);

  it("of old HELLOs makes a few writes, counts each, and revokes nobody", async () => {
    const { keys, writes } = counting();
    fleet = await startFleet(1, { ...eager, keys, limits, onClone: "revoke" });
    const hello = await oldHello();
    const client = await fleet.connect(0);
    await client.send("1");
    const startedAt = Date.now();
    await flood(hello, 1_000);
    await expect.poll(tally, { timeout: 5_000 }).toEqual(["stale-epoch 1000"]);
    const seconds = Math.ceil((Date.now() - startedAt) / 1_000);
    expect(writes.count).toBeLessThanOrEqual(seconds + 1);
    expect((await client.send("2")).value).toBe("2");
  }, 60_000);

  it("of a revoked client's HELLOs is counted as what it is", async () => {
    const { keys } = counting();
    fleet = await startFleet(1, { ...eager, keys, limits });
    const hello = await oldHello();
    await keys.revoke(id, "lost");
    await flood(hello, 100);
    await fleet.server.close();
    expect(await tally()).toEqual(["revoked-hello 100"]);
    expect(
      fleet.events.filter((event) => event.type === "violation" && event.subject === "revoked"),
    ).toHaveLength(100);
  }, 60_000);
});
