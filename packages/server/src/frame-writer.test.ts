import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { nodeCrypto } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { FrameWriter } from "./frame-writer.ts";
import { FakeClock } from "./testing/fake-clock.ts";

/** What reaches the system, call by call; it is taken at once, a turn later or never. */
function sink(taken: "now" | "later" | "never" = "now") {
  const calls: number[][] = [];
  const done = (call: Uint8Array[], callback: () => void) => {
    calls.push(call.map(({ length }) => length));
    if (taken === "now") callback();
    if (taken === "later") setImmediate(callback);
  };
  const stream = new Duplex({
    highWaterMark: 10,
    read: () => {},
    write: (chunk: Uint8Array, _encoding, callback) => done([chunk], callback),
    writev: (chunks, callback) =>
      done(
        chunks.map(({ chunk }) => chunk as Uint8Array),
        callback,
      ),
  });
  // The writer uses nothing of a socket that a stream has not.
  return { socket: stream as Socket, calls };
}

const limits = { queuedBytes: 100, queuedMs: 1_000 };

describe("FrameWriter", () => {
  it("hands what belongs together to the system in one call", () => {
    const { socket, calls } = sink();
    const writer = new FrameWriter(socket, new FakeClock(), limits, nodeCrypto, () => {});
    writer.write(new Uint8Array(1));
    writer.together(() => {
      writer.write(new Uint8Array(2));
      writer.write(new Uint8Array(3));
    });
    writer.write(new Uint8Array(4));
    expect(calls).toEqual([[1], [2, 3], [4]]);
  });

  it("tells of a peer that leaves too much unread, or for too long", () => {
    const clock = new FakeClock();
    const slow: number[] = [];
    const writer = new FrameWriter(sink("never").socket, clock, limits, nodeCrypto, (bytes) =>
      slow.push(bytes),
    );
    writer.write(new Uint8Array(60));
    clock.advance(999);
    expect(slow).toEqual([]);
    clock.advance(1);
    expect(slow).toEqual([60]);
    writer.write(new Uint8Array(41));
    expect(slow).toEqual([60, 101]);
  });

  it("forgets it when the peer has read, or when it is stopped", async () => {
    const clock = new FakeClock();
    const { socket } = sink("later");
    const writer = new FrameWriter(socket, clock, limits, nodeCrypto, () => expect.unreachable());
    writer.write(new Uint8Array(60));
    expect(clock.pending).toBe(1);
    await new Promise((resolve) => socket.once("drain", resolve));
    expect(clock.pending).toBe(0);
    const other = new FrameWriter(sink("never").socket, clock, limits, nodeCrypto, () =>
      expect.unreachable(),
    );
    other.write(new Uint8Array(60));
    other.stop();
    clock.advance(1_000);
  });
});
