import { concat } from "@pawl/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../../server/src/testing/fake-clock.ts";
import {
  type Actions,
  cut,
  delay,
  describeActions,
  drop,
  flip,
  hold,
  inject,
  pass,
  reflect,
  release,
  repeat,
  replace,
} from "./actions.ts";
import type { ObservedFrame } from "./observed.ts";
import { flipBit, spansOf, withHeader } from "./packet.ts";
import { frame } from "./testing/frames.ts";
import { type Link, openLink, type Rule, ruled } from "./testing/link.ts";

let link: Link | null = null;
afterEach(async () => {
  await link?.close();
  link = null;
});
async function through(rule: Rule, clock?: FakeClock): Promise<Link> {
  link = await openLink({ program: ruled(rule), ...(clock === undefined ? {} : { clock }) });
  return link;
}

/** Three frames that are told apart by their fill. */
const [A, B, C] = [1, 2, 3].map((round) => frame("DATA", round, { fill: round })) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
/** Does this with the first frame, and passes the others. */
const atFirst = (actions: (frame: ObservedFrame) => Actions): Rule => {
  return (observed) => (observed.index === 1 ? actions(observed) : pass);
};

/** What the server gets of A, B and C, where the client has ended its stream behind them. */
async function serverGets(rule: Rule): Promise<Uint8Array> {
  const { client, server } = await through(rule);
  client.socket.end(concat(A, B, C));
  return server.end();
}

describe("what a man in the middle does with a frame", () => {
  it("drop", async () => {
    expect(await serverGets(atFirst(() => drop))).toEqual(concat(B, C));
  });

  it("repeat", async () => {
    expect(await serverGets(atFirst(() => repeat(2)))).toEqual(concat(A, A, A, B, C));
  });

  it("replace, by as many frames as wanted", async () => {
    expect(await serverGets(atFirst(() => replace("two", B, B)))).toEqual(concat(B, B, B, C));
    expect(await serverGets(atFirst(() => replace("none")))).toEqual(concat(B, C));
  });

  it("flip, in every part of a packet, its header included", async () => {
    for (const { at, bytes, name } of spansOf(A)) {
      for (const offset of [at, at + bytes - 1]) {
        const got = await serverGets(atFirst((observed) => flip(observed, offset, 7)));
        expect(got, name).toEqual(concat(flipBit(A, offset, 7), B, C));
        expect(got).not.toEqual(concat(A, B, C));
        await link?.close();
      }
    }
  });

  it("flip, from the end, and never a byte that there is not", () => {
    expect(flip({ bytes: A }, -1, 3)).toEqual(
      replace("bit 3 of byte 79 (tag) turned", flipBit(A, A.length - 5, 3)),
    );
    expect(() => flip({ bytes: A }, 80)).toThrow(RangeError);
    expect(() => flip({ bytes: A }, -85)).toThrow(RangeError);
  });

  it("replace a header's fields", async () => {
    const changed = withHeader(A, {
      opcode: 50,
      clientId: 8,
      epoch: 9,
      round: 10,
      direction: 1,
      reserved: 2,
    });
    expect(
      await serverGets(
        atFirst(({ bytes }) => {
          const change = { opcode: 50, clientId: 8, epoch: 9, round: 10, direction: 1, reserved: 2 };
          return replace("another header", withHeader(bytes, change));
        }),
      ),
    ).toEqual(concat(changed, B, C));
    expect([...changed.subarray(4, 20)]).toEqual([2, 50, 1, 2, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 10]);
  });

  it("hold and release, which swaps two frames", async () => {
    const rule: Rule = ({ index }) => (index === 1 ? hold : index === 2 ? [pass, release] : pass);
    expect(await serverGets(rule)).toEqual(concat(B, A, C));
  });

  it("hold, and release behind a frame of the other direction", async () => {
    const rule: Rule = ({ direction }) =>
      direction === "c2s" ? hold : [pass, { do: "release", direction: "c2s" }];
    const { client, server, proxy } = await through(rule);
    client.socket.write(A);
    await expect.poll(() => proxy.recording.frames()).toHaveLength(1);
    expect(server.received).toHaveLength(0);
    server.socket.write(B);
    expect(await client.bytes(B.length)).toEqual(B);
    expect(await server.bytes(A.length)).toEqual(A);
  });

  it("hold until somebody releases it, in its order", async () => {
    const { client, server, connection } = await through(({ index }) => (index < 3 ? hold : pass));
    client.socket.write(concat(A, B, C));
    expect(await server.bytes(C.length)).toEqual(C);
    connection.release("c2s");
    expect(await server.bytes(3 * A.length)).toEqual(concat(C, A, B));
  });

  it("reflect", async () => {
    const { client, server } = await through(atFirst(() => reflect));
    client.socket.end(concat(A, B));
    expect(await server.end()).toEqual(B);
    expect(await client.bytes(A.length)).toEqual(A);
  });

  it("inject, both ways", async () => {
    const [D, E] = [frame("AGGREGATE", 8), frame("DATA", 9)];
    const rule = atFirst(() => [inject("s2c", D, "D"), pass, inject("c2s", E, "E")]);
    const { client, server, connection } = await through(rule);
    client.socket.end(concat(A, B));
    expect(await server.end()).toEqual(concat(A, E, B));
    connection.inject("s2c", A, "A");
    expect(await client.bytes(D.length + A.length)).toEqual(concat(D, A));
  });

  it("delay: the order is kept, another delay adds to it, and the end of the stream waits", async () => {
    const clock = new FakeClock();
    const rule: Rule = ({ index }) => (index === 3 ? pass : delay(100));
    const { client, server, proxy, connection } = await through(rule, clock);
    client.socket.end(concat(A, B, C));
    await expect.poll(() => proxy.recording.entries.at(-1)?.kind).toBe("end");
    expect(proxy.recording.entries.at(-1)).toMatchObject({ by: "victim", how: "fin", waits: true });
    connection.inject("c2s", A, "overtakes");
    expect(await server.bytes(A.length)).toEqual(A);
    clock.advance(99);
    expect(proxy.recording.entries.filter(({ kind }) => kind === "sent")).toHaveLength(1);
    clock.advance(1);
    expect(await server.bytes(2 * A.length)).toEqual(concat(A, A));
    expect(server.ended).toBeNull();
    clock.advance(100);
    expect(await server.end()).toEqual(concat(A, A, B, C));
    expect(proxy.recording.entries.at(-1)).toMatchObject({ side: "server", by: "attacker", how: "fin" });
  });

  it("delay of one direction does not hold up the other, and is forgotten when the connection is cut", async () => {
    const clock = new FakeClock();
    const rule: Rule = ({ direction }) => (direction === "c2s" ? delay(100) : pass);
    const { client, server, connection } = await through(rule, clock);
    client.socket.write(A);
    await expect.poll(() => clock.pending).toBe(1);
    server.socket.write(B);
    expect(await client.bytes(B.length)).toEqual(B);
    connection.cut("fin");
    expect(clock.pending).toBe(0);
    expect(await server.end()).toHaveLength(0);
  });

  it.each(["fin", "rst"] as const)("cut (%s), at a frame's border", async (how) => {
    const { client, server, connection } = await through(({ index }) => (index === 2 ? cut(how) : pass));
    client.socket.write(concat(A, B, C));
    expect(await server.end()).toEqual(A);
    await client.end();
    expect([await client.isReset(), await server.isReset()]).toEqual([how === "rst", how === "rst"]);
    for (const end of [client, server]) end.socket.end();
    await connection.closed;
  });

  it.each(["fin", "rst"] as const)("cut (%s), after each number of bytes of a frame", async (how) => {
    for (const after of [1, 3, 4, 5, 20, 83]) {
      const { client, server } = await through(atFirst(() => cut(how, after)));
      client.socket.write(concat(A, B));
      expect(await server.end()).toEqual(A.slice(0, after));
      expect(await server.isReset()).toBe(how === "rst");
      await link?.close();
    }
  });

  it("cut: what the victims do behind it is still written down, and does not pass", async () => {
    const { client, server, proxy } = await through(atFirst(() => cut("fin")));
    client.socket.write(A);
    await server.end();
    server.socket.end(B);
    await expect.poll(() => proxy.recording.entries.at(-1)).toMatchObject({ kind: "end", by: "victim" });
    expect(proxy.recording.entries.slice(-2)).toMatchObject([
      { kind: "seen", direction: "s2c", did: "dropped" },
      { kind: "end", side: "server", how: "fin", by: "victim" },
    ]);
    expect(await client.end()).toHaveLength(0);
  });
});

describe("describeActions", () => {
  it("says each in a few words", () => {
    const all: [Actions, string][] = [
      [pass, "passed"],
      [drop, "dropped"],
      [delay(5), "passed 5 ms later"],
      [repeat(), "passed, and a copy behind it"],
      [repeat(3), "passed, and 3 copies behind it"],
      [replace("other bytes", A), "other bytes"],
      [[pass, release], "passed, what was held, behind it"],
      [hold, "held"],
      [reflect, "sent back to its sender"],
      [inject("c2s", A, "A"), "injected to the server: A"],
      [cut("rst", 9), "cut (RST) after 9 bytes of it"],
    ];
    for (const [actions, words] of all) expect(describeActions(actions)).toBe(words);
  });
});
