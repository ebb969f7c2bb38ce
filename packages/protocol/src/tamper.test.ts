import { describe, expect, it } from "vitest";
import { copyOf } from "./bytes.ts";
import { defaultCrypto } from "./crypto/default.ts";
import { ServerSession } from "./server.ts";
import { CLASSIC, isPossibleLength, STRICT, STRICT_GCM, SUITES, type Suite, suiteById } from "./suites.ts";
import { type ClientPeer, ServerPeer, violationOf } from "./testing/peers.ts";
import { ID, pair } from "./testing/states.ts";

/**
 * Any bit flipped anywhere in any packet is refused with the class that section 1 names for its place, nothing is sent
 * or stored, and the record is as it was. The oracle below reads the place from the table of section 1 alone.
 */

const MESSAGE = new TextEncoder().encode("12.5 13");

type Step = "HELLO" | "CHALLENGE" | "DATA" | "AGGREGATE" | "TERMINATE c2s" | "TERMINATE s2c";
const steps = (suite: Suite): Step[] =>
  suite.strict
    ? ["HELLO", "CHALLENGE", "DATA", "AGGREGATE", "TERMINATE c2s", "TERMINATE s2c"]
    : ["HELLO", "CHALLENGE", "DATA", "AGGREGATE"];

/** Plays up to the packet of `step`, which is made but not given. */
function upTo(step: Step, suite: Suite): { receiver: ServerPeer | ClientPeer; frame: Uint8Array } {
  const { client, server } = pair(suite);
  const last = (peer: ServerPeer | ClientPeer) => copyOf(peer.sent.at(-1) ?? new Uint8Array());
  client.start();
  if (step === "HELLO") return { receiver: server, frame: last(client) };
  server.receive(last(client));
  if (step === "CHALLENGE") return { receiver: client, frame: last(server) };
  client.receive(last(server));
  if (step === "TERMINATE s2c") {
    server.terminate("idle");
    return { receiver: client, frame: last(server) };
  }
  client.send(MESSAGE);
  if (step === "DATA") return { receiver: server, frame: last(client) };
  server.receive(last(client));
  server.answer(MESSAGE);
  if (step === "AGGREGATE") return { receiver: client, frame: last(server) };
  client.receive(last(server));
  client.terminate("done");
  return { receiver: server, frame: last(client) };
}

function expected(step: Step, suite: Suite, packet: Uint8Array, offset: number, bit: number): string {
  const value = (packet[offset] ?? 0) ^ (1 << bit);
  if (offset === 0) {
    const other = suiteById(value);
    return other !== undefined && isPossibleLength(other, packet.length) ? "SuiteError" : "FormatError";
  }
  // No two opcodes differ in one bit.
  if (offset === 1) return "FormatError";
  if (offset === 2) return bit === 0 ? "DirectionError" : "FormatError";
  if (offset === 3) return "FormatError";
  if (offset < 8) return "IdentityError";
  if (offset < 12) {
    // A HELLO ahead by no more than the window may be that of a client which moved first: its tag decides.
    const ahead = 2 ** (8 * (11 - offset) + bit);
    return step === "HELLO" && suite.strict && ahead <= 64 ? "HmacError" : "EpochError";
  }
  if (offset < 16) return "DesyncError";
  return "HmacError";
}

for (const suite of [CLASSIC, STRICT, STRICT_GCM]) {
  describe(`a bit flipped in a packet of ${suite.name}`, () => {
    for (const step of steps(suite)) {
      it(step, () => {
        const length = upTo(step, suite).frame.length - 4;
        for (let offset = 0; offset < length; offset++) {
          for (let bit = 0; bit < 8; bit++) {
            const { receiver, frame } = upTo(step, suite);
            const name = expected(step, suite, frame.subarray(4), offset, bit);
            frame[4 + offset] = (frame[4 + offset] ?? 0) ^ (1 << bit);
            const [sent, commits] = [receiver.sent.length, receiver.commits.length];
            const record =
              receiver instanceof ServerPeer ? receiver.database.read(ID) : { ...receiver.stored };
            receiver.receive(frame);
            if (violationOf(receiver.end) !== name) {
              expect({ offset, bit, name: violationOf(receiver.end) }).toEqual({ offset, bit, name });
            }
            expect(receiver.sent.length + receiver.commits.length).toBe(sent + commits);
            expect(
              receiver instanceof ServerPeer ? receiver.database.read(ID) : { ...receiver.stored },
            ).toEqual(record);
          }
        }
      });
    }
  });
}

describe("a packet cut or lengthened, its frame length with it", () => {
  for (const suite of [CLASSIC, STRICT, STRICT_GCM]) {
    it(suite.name, () => {
      for (const step of steps(suite)) {
        const { frame } = upTo(step, suite);
        for (const length of [45, 64, 79, 80, frame.length - 5, frame.length - 3, frame.length + 12]) {
          if (length === frame.length - 4) continue;
          const { receiver, frame: fresh } = upTo(step, suite);
          const packet = new Uint8Array(length);
          packet.set(fresh.subarray(4, 4 + length));
          receiver.handle({ type: "packet", packet });
          expect(["FormatError", "HmacError"]).toContain(violationOf(receiver.end));
        }
      }
    });
  }
});

describe("a server that runs the strict suites alone", () => {
  it("takes a HELLO of classic for a format error, before it looks anybody up", () => {
    const { client, server } = pair(CLASSIC);
    const session = new ServerSession({ crypto: defaultCrypto(), suites: SUITES.slice(1), maxMessage: 4096 });
    const strict = new ServerPeer(server.database, { session });
    client.start();
    strict.receive(client.sent[0] ?? new Uint8Array());
    expect(violationOf(strict.end)).toBe("FormatError");
  });
});
