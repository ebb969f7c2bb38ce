import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { Channel } from "./channel.ts";

/** A stream that keeps what is written to it, and gives what a test says. */
function stream() {
  const written: string[] = [];
  const duplex = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk.toString());
      done();
    },
  });
  return { duplex, written };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("Channel", () => {
  it("sends what a turn of the event loop has to say in one go", async () => {
    const { duplex, written } = stream();
    const channel = new Channel<string, string>(
      duplex,
      () => {},
      () => {},
    );
    channel.send("a");
    channel.send("b\n");
    await turn();
    channel.send("c");
    await turn();
    expect(written).toEqual(['["a","b\\n"]\n', '["c"]\n']);
  });

  it("hears each message once and in order, however the stream cuts them up", async () => {
    const bytes = Buffer.from('["ä","b"]\n[{"c":1}]\n["d"]\n');
    for (let size = 1; size <= bytes.length; size++) {
      const { duplex } = stream();
      const heard: unknown[] = [];
      new Channel<never, unknown>(
        duplex,
        (message) => heard.push(message),
        () => {},
      );
      for (let at = 0; at < bytes.length; at += size) duplex.push(bytes.subarray(at, at + size));
      duplex.push(null);
      await new Promise((resolve) => duplex.once("end", resolve));
      expect(heard).toEqual(["ä", "b", { c: 1 }, "d"]);
    }
  });

  it("sends what waits before it ends, and says when the other side has", async () => {
    const { duplex, written } = stream();
    let closed = false;
    const channel = new Channel<string, string>(
      duplex,
      () => {},
      () => {
        closed = true;
      },
    );
    channel.send("last");
    await channel.end();
    expect(written).toEqual(['["last"]\n']);
    duplex.destroy();
    await turn();
    expect(closed).toBe(true);
    channel.send("late");
    await turn();
    expect(written).toHaveLength(1);
  });
});
