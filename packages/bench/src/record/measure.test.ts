import { type CryptoProvider, copyOf, defaultCrypto, nodeCrypto, STRICT_SUITES } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { WrongAnswerError } from "../cells/measurement.ts";
import type { Channel } from "./channel.ts";
import { BATCH, measure } from "./measure.ts";
import { sessionChannel } from "./sessions.ts";

const providers: readonly CryptoProvider[] = [...new Set([nodeCrypto, defaultCrypto()])];
const each = providers.flatMap((crypto) => STRICT_SUITES.map((suite) => ({ crypto, suite })));
/** An answer as well as a question of each session. */
const PACKETS = 4 * BATCH;

function counted(channel: Channel): Channel & { readonly frames: Uint8Array[]; opened: number } {
  const one = {
    frames: [] as Uint8Array[],
    opened: 0,
    seal: (message: Uint8Array) => {
      const frame = channel.seal(message);
      one.frames.push(copyOf(frame));
      return frame;
    },
    carry: (frame: Uint8Array) => channel.carry(frame),
    open: (packet: Uint8Array) => {
      one.opened++;
      return channel.open(packet);
    },
  };
  return one;
}

describe.each(each)("packets of $suite.name on $crypto.name", ({ crypto, suite }) => {
  const message = Uint8Array.from({ length: 1_024 }, (_, at) => at);

  it("are sealed and opened by sessions, no two alike", () => {
    const channel = counted(sessionChannel(crypto, suite));
    const { seal, open } = measure(channel, message, (packets) => packets >= PACKETS);
    expect(seal).toBeGreaterThan(0);
    expect(open).toBeGreaterThan(0);
    expect(channel.opened).toBe(PACKETS);
    expect(new Set(channel.frames.map((frame) => Buffer.from(frame).toString("hex"))).size).toBe(PACKETS);
  });

  it("that were changed on their way end the measurement", () => {
    const channel = sessionChannel(crypto, suite);
    const changed: Channel = {
      ...channel,
      carry: (frame) => {
        const packet = channel.carry(frame);
        packet[packet.length - 1] = (packet.at(-1) ?? 0) ^ 1;
        return packet;
      },
    };
    expect(() => measure(changed, message, (packets) => packets > 0)).toThrow(/no effect deliver but end/);
  });

  it("of which another message comes out are wrong answers", () => {
    const channel = sessionChannel(crypto, suite);
    const wrong: Channel = {
      ...channel,
      open: (packet) => {
        const opened = copyOf(channel.open(packet));
        opened[700] = (opened[700] ?? 0) ^ 1;
        return opened;
      },
    };
    expect(() => measure(wrong, message, (packets) => packets > 0)).toThrow(WrongAnswerError);
  });
});
