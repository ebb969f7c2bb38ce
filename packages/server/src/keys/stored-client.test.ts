import { CLASSIC, clientId, epoch, STRICT } from "@pawl/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StoreError } from "./errors.ts";
import {
  checkSecret,
  drawGeneration,
  generationBytes,
  generationFrom,
  infoOf,
  lowestFree,
  recordOf,
  type StoredClient,
} from "./stored-client.ts";
import { acceptedAt, secretOf } from "./testing/fixtures.ts";

const client: StoredClient = {
  clientId: clientId(7),
  suite: STRICT,
  generation: 5n,
  epoch: epoch(3),
  window: 64,
  accepted: acceptedAt(2),
  label: "x",
  created: 1,
  moved: 2,
  lastSeen: 2,
  revoked: { at: 3, reason: "lost" },
  secret: secretOf(3),
};

describe("a generation", () => {
  it("survives its 8 bytes, wherever they stand in a buffer", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(5), (generation, offset) => {
        const buffer = new Uint8Array(16);
        buffer.set(generationBytes(generation), offset);
        expect(generationFrom(buffer.subarray(offset, offset + 8))).toBe(generation);
      }),
    );
  });

  it("is 64 bits of the random source, big-endian", () => {
    expect(drawGeneration((length) => Uint8Array.from({ length }, (_, n) => n + 1))).toBe(
      0x0102030405060708n,
    );
  });
});

describe("lowestFree", () => {
  it("gives the lowest ids that are not taken, ascending", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 })),
        fc.integer({ min: 0, max: 30 }),
        (ids, count) => {
          const free = lowestFree(
            ids.sort((a, b) => a - b),
            count,
          );
          const all = Array.from({ length: 100 }, (_, n) => n + 1).filter((id) => !ids.includes(id));
          expect(free).toEqual(all.slice(0, count));
        },
      ),
    );
  });

  it("takes the last id, and says when there are not enough", () => {
    const allButTwo = function* () {
      yield 3;
    };
    expect(lowestFree(allButTwo(), 2)).toEqual([1, 2]);
    expect(lowestFree([2 ** 32 - 2], 1)).toEqual([1]);
    expect(() => lowestFree([1], 2 ** 32 - 1)).toThrow(StoreError);
    for (const count of [-1, 0.5, Number.NaN]) expect(() => lowestFree([], count)).toThrow(RangeError);
  });
});

describe("copies", () => {
  it("share no buffer with what is stored", () => {
    const record = recordOf(client);
    expect(record).toMatchObject({ secret: client.secret, accepted: client.accepted, revoked: true });
    expect(record.secret.buffer).not.toBe(client.secret.buffer);
    expect(record.accepted?.t.buffer).not.toBe(client.accepted?.t.buffer);
    const info = infoOf(client);
    expect(info).not.toHaveProperty("secret");
    expect(info.accepted?.t.buffer).not.toBe(client.accepted?.t.buffer);
    expect(recordOf({ ...client, accepted: null, revoked: null })).toMatchObject({
      accepted: null,
      revoked: false,
    });
  });
});

describe("checkSecret", () => {
  it("asks for 32 bytes in the strict suites and for at least one in classic", () => {
    for (const length of [0, 31, 33])
      expect(() => checkSecret(STRICT, new Uint8Array(length))).toThrow(/32 bytes/);
    expect(() => checkSecret(CLASSIC, new Uint8Array(0))).toThrow(/at least one/);
    expect(() => checkSecret(CLASSIC, new Uint8Array(7))).not.toThrow();
    expect(() => checkSecret(STRICT, new Uint8Array(32))).not.toThrow();
  });
});
