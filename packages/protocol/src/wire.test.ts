import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClientId, Epoch, Round } from "./bytes.ts";
import { concat, u32 } from "./bytes.ts";
import { FormatError, FrameError } from "./errors.ts";
import { MIN_PACKET } from "./limits.ts";
import { STRICT, STRICT_SUITES, SUITES } from "./suites.ts";
import { decodeHeader, encodeHeader, FrameReader, OPCODES, type Opcode } from "./wire.ts";

const LIMIT = 4096;
const packets = fc.array(
  fc.integer({ min: MIN_PACKET, max: LIMIT }).chain((n) => fc.uint8Array({ minLength: n, maxLength: n })),
  { maxLength: 6 },
);

const frame = (packet: Uint8Array) => concat(u32(packet.length), packet);

/** Cuts `bytes` at each of `at`, in order. */
function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const points = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  return [...points, bytes.length].map((to) => {
    const piece = bytes.subarray(from, to);
    from = to;
    return piece;
  });
}

function readAll(reader: FrameReader, pieces: readonly Uint8Array[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let packet = reader.next(LIMIT); packet !== null; packet = reader.next(LIMIT)) out.push(packet);
  }
  return out;
}

describe("FrameReader", () => {
  it("sees the same packets however the stream is cut", () => {
    fc.assert(
      fc.property(packets, fc.array(fc.nat(), { maxLength: 40 }), (list, cuts) => {
        const stream = concat(...list.map(frame));
        const reader = new FrameReader();
        expect(readAll(reader, cut(stream, cuts))).toEqual(list);
        expect(reader.buffered).toBe(0);
        expect(
          readAll(
            new FrameReader(),
            Array.from(stream, (b) => Uint8Array.of(b)),
          ),
        ).toEqual(list);
      }),
      { numRuns: 60 },
    );
  });

  it("gives a view of a chunk that holds the whole packet", () => {
    const chunk = frame(new Uint8Array(100).fill(7));
    const reader = new FrameReader();
    reader.push(chunk);
    expect(reader.next(LIMIT)?.buffer).toBe(chunk.buffer);
  });

  it("refuses a length outside the limits as soon as it is there", () => {
    for (const length of [0, MIN_PACKET - 1, LIMIT + 1, 2 ** 32 - 1]) {
      const reader = new FrameReader();
      const prefix = u32(length);
      reader.push(prefix.subarray(0, 3));
      expect(reader.next(LIMIT)).toBeNull();
      reader.push(prefix.subarray(3));
      expect(() => reader.next(LIMIT)).toThrow(FrameError);
    }
  });

  it("holds what came, not what was announced, whoever sends single bytes", () => {
    const reader = new FrameReader();
    reader.push(u32(LIMIT));
    for (let i = 0; i < LIMIT - 1; i++) {
      reader.push(Uint8Array.of(i));
      expect(reader.next(LIMIT)).toBeNull();
    }
    expect(reader.buffered).toBe(LIMIT + 3);
    reader.push(Uint8Array.of(LIMIT - 1));
    expect(reader.next(LIMIT)).toEqual(Uint8Array.from({ length: LIMIT }, (_, i) => i));
    reader.push(Uint8Array.of(1, 2));
    expect(reader.rest()).toEqual(Uint8Array.of(1, 2));
    expect(reader.rest()).toEqual(new Uint8Array());
    reader.push(Uint8Array.of(3));
    reader.clear();
    expect(reader.buffered).toBe(0);
  });
});

describe("header", () => {
  const header = fc.record({
    suite: fc.constantFrom(...SUITES),
    opcode: fc.constantFrom(...(Object.keys(OPCODES) as Opcode[])),
    direction: fc.constantFrom("c2s" as const, "s2c" as const),
    clientId: fc.integer({ min: 1, max: 0xffff_ffff }).map((n) => n as ClientId),
    epoch: fc.integer({ min: 0, max: 0xffff_ffff }).map((n) => n as Epoch),
    round: fc.integer({ min: 0, max: 0xffff_ffff }).map((n) => n as Round),
  });

  it("round-trips", () => {
    fc.assert(
      fc.property(header, (h) => {
        const packet = new Uint8Array(80);
        encodeHeader(h, packet, 0);
        expect(decodeHeader(packet, SUITES)).toEqual(h);
      }),
    );
  });

  it("refuses every byte that check 2 forbids", () => {
    const good = new Uint8Array(80);
    encodeHeader(
      {
        suite: STRICT,
        opcode: "DATA",
        direction: "c2s",
        clientId: 7 as ClientId,
        epoch: 0 as Epoch,
        round: 1 as Round,
      },
      good,
      0,
    );
    expect(decodeHeader(good, STRICT_SUITES).clientId).toBe(7);
    const opcodes: readonly number[] = Object.values(OPCODES);
    for (let offset = 0; offset < 4; offset++) {
      for (let value = 0; value < 256; value++) {
        const bad = Uint8Array.from(good, (byte, i) => (i === offset ? value : byte));
        const allowed = [value === 2 || value === 3, opcodes.includes(value), value < 2, value === 0][offset];
        if (allowed) expect(decodeHeader(bad, STRICT_SUITES).suite.strict).toBe(true);
        else expect(() => decodeHeader(bad, STRICT_SUITES)).toThrow(FormatError);
      }
    }
    expect(() =>
      decodeHeader(
        Uint8Array.from(good, (b, i) => (i === 7 ? 0 : b)),
        SUITES,
      ),
    ).toThrow("client id 0");
    expect(() => decodeHeader(good.subarray(0, 79), SUITES)).toThrow("length");
    expect(() => decodeHeader(good.subarray(0, 64), SUITES)).toThrow("length");
  });
});
