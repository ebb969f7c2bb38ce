import { describe, expect, it } from "vitest";
import { STRICT } from "../../suites.ts";
import { addon, KEY } from "./testing/addon.ts";

/** What the addon does with arguments that TypeScript would not let through. */

describe("wrong arguments", () => {
  /** What TypeScript would not let through: JavaScript calls an addon with anything. */
  const call = (method: unknown, self: unknown, ...args: unknown[]): unknown =>
    Reflect.apply(method as (...args: unknown[]) => unknown, self, args);
  const detached = () => {
    const bytes = new Uint8Array(64);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    return bytes;
  };
  const strange = [
    undefined,
    null,
    1,
    "bytes",
    {},
    [],
    new Uint16Array(64),
    new DataView(new ArrayBuffer(64)),
  ];

  it("are TypeErrors, and change nothing", () => {
    const chain = new addon.RecordChain(STRICT.id, KEY);
    const room = new Uint8Array(128);
    const frame = new Uint8Array(4 + 112);
    const gcmArgs = [new Uint8Array(48), KEY, KEY.subarray(0, 12), KEY, KEY, new Uint8Array(16)];
    const gcmCalls: readonly (readonly [unknown, readonly unknown[]])[] = [
      [addon.gcmSeal, gcmArgs.slice(0, 5)],
      [addon.gcmOpen, gcmArgs.with(0, new Uint8Array(32))],
    ];
    for (const value of [...strange, detached()]) {
      expect(() => call(chain.seal, chain, value, 0, 116, KEY, 33, 1)).toThrow(TypeError);
      expect(() => call(chain.seal, chain, frame, 0, 116, value, 33, 1)).toThrow(TypeError);
      expect(() => call(chain.open, chain, value, room, 0)).toThrow(TypeError);
      expect(() => call(chain.open, chain, frame, value, 0)).toThrow(TypeError);
      expect(() => call(addon.sha256, addon, value, KEY)).toThrow(TypeError);
      expect(() => call(addon.sha256, addon, new Uint8Array(32), value)).toThrow(TypeError);
      expect(() => call(addon.hmacSha256, addon, new Uint8Array(32), value)).toThrow(TypeError);
      for (const cipher of [addon.cbcEncrypt, addon.cbcDecrypt]) {
        const args: unknown[] = [
          new Uint8Array(48),
          KEY.subarray(0, 16),
          KEY.subarray(0, 16),
          new Uint8Array(32),
        ];
        for (let i = 0; i < args.length; i++) {
          expect(() => call(cipher, addon, ...args.with(i, value))).toThrow(TypeError);
        }
      }
      for (const [cipher, args] of gcmCalls) {
        for (let i = 0; i < args.length; i++) {
          expect(() => call(cipher, addon, ...args.with(i, value))).toThrow(TypeError);
        }
      }
      expect(() => Reflect.construct(addon.RecordChain, [STRICT.id, value])).toThrow(TypeError);
    }
    for (const suite of [0, 1, 4, 2.5e9, "2", undefined]) {
      if (suite === 2) continue;
      expect(() => Reflect.construct(addon.RecordChain, [suite, KEY])).toThrow(TypeError);
    }
    for (const kind of [0, 3, -1, "1", Number.NaN]) {
      expect(() => call(chain.seal, chain, frame, 0, 116, KEY, 33, kind)).toThrow(TypeError);
    }
    expect(() => call(chain.seal, chain, frame, 0, 116, KEY, "33", 1)).toThrow(TypeError);
    expect(() => call(chain.seal, chain, frame, "0", 116, KEY, 33, 1)).toThrow(TypeError);
    expect(() => call(chain.seal, chain, frame, 0, "116", KEY, 33, 1)).toThrow(TypeError);
    expect(() => call(chain.open, chain, frame.subarray(4), room, "0")).toThrow(TypeError);
    expect(() => call(chain.open, chain, frame.subarray(4), room)).toThrow(TypeError);
    expect(() => call(chain.seal, chain, frame, 0, 116, KEY)).toThrow(TypeError);
    for (const length of [0, 15, 17, 32]) {
      const [right, wrong] = [KEY.subarray(0, 16), KEY.subarray(0, length)];
      for (const cipher of [addon.cbcEncrypt, addon.cbcDecrypt]) {
        expect(() => call(cipher, addon, new Uint8Array(48), wrong, right, KEY)).toThrow(TypeError);
        expect(() => call(cipher, addon, new Uint8Array(48), right, wrong, KEY)).toThrow(TypeError);
        expect(() => call(cipher, addon, new Uint8Array(48), right, right)).toThrow(TypeError);
      }
    }
    for (const [cipher, args] of gcmCalls) {
      for (const length of [0, 11, 13, 16, 31, 33]) {
        const wrong = new Uint8Array(length);
        expect(() => call(cipher, addon, ...args.with(1, wrong))).toThrow(TypeError);
        expect(() => call(cipher, addon, ...args.with(2, wrong))).toThrow(TypeError);
      }
      expect(() => call(cipher, addon, ...args.slice(1))).toThrow(TypeError);
      expect(() => call(cipher, addon, ...args, KEY)).toThrow(TypeError);
      // Lengths that do not fit each other are a status.
      expect(call(cipher, addon, ...args.with(0, new Uint8Array(47)))).toBe(-5);
      expect(call(cipher, addon, ...args)).toBe(cipher === addon.gcmSeal ? 0 : -1);
    }
    expect(call(addon.gcmOpen, addon, ...gcmArgs.with(0, new Uint8Array(32)).with(5, KEY))).toBe(-5);
    expect(() => call(addon.sha256, addon)).toThrow(TypeError);
    expect(() => call(addon.hmacSha256, addon, new Uint8Array(32))).toThrow(TypeError);
    expect(() => call(addon.sha256, addon, new Uint8Array(31), KEY)).toThrow(TypeError);
    expect(() => call(addon.sha256, addon, new Uint8Array(32), ...Array(9).fill(KEY))).toThrow(TypeError);
    expect(() => call(addon.RecordChain, undefined, STRICT.id, KEY)).toThrow(TypeError);

    expect(call(chain.seal, chain, frame, 0, 116, KEY, 33, 1)).toBe(0);
    const fresh = new addon.RecordChain(STRICT.id, KEY);
    expect(fresh.open(frame.subarray(4), room, 0)).toBe(2 * KEY.length);
  });

  it("are statuses where a length does not fit", () => {
    const chain = new addon.RecordChain(STRICT.id, KEY);
    const seal = (length: number, plaintext: number, at = 0, size = length) =>
      chain.seal(new Uint8Array(size), at, length, KEY, plaintext, 1);
    for (const [length, plaintext] of [
      [0, 33],
      [3, 33],
      [4, 33],
      [115, 33],
      [117, 33],
      [116, 32],
      [116, 0],
      [116, -1],
      [116, 0xffff_ffff],
    ] as const) {
      expect(seal(length, plaintext)).toBe(-5);
    }
    for (const [at, size] of [
      [1, 116],
      [116, 116],
      [117, 116],
      [-1, 116],
      [0, 115],
      [0xffff_ffff, 300],
      [0xffff_ff00, 300],
    ] as const) {
      expect(seal(116, 33, at, size)).toBe(-5);
      expect(chain.open(new Uint8Array(112), new Uint8Array(size - 68), at)).toBe(-5);
    }
    const key = KEY.subarray(0, 16);
    for (const room of [0, 16, 32, 47, 49, 64]) {
      expect(addon.cbcEncrypt(new Uint8Array(room), key, key, new Uint8Array(32))).toBe(-5);
      expect(addon.cbcDecrypt(new Uint8Array(room), key, key, new Uint8Array(48))).toBe(-5);
    }
    for (const length of [0, 1, 17]) {
      expect(addon.cbcDecrypt(new Uint8Array(length), key, key, new Uint8Array(length))).toBe(-5);
    }
    for (const length of [0, 1, 63, 64, 65, 79, 81]) {
      expect(chain.open(new Uint8Array(length), new Uint8Array(128), 0)).toBe(-5);
    }
    expect(chain.open(new Uint8Array(96), new Uint8Array(31), 0)).toBe(-5);
  });

  it("touch no byte of the room that is not the packet's", () => {
    const room = new Uint8Array(200).fill(0xaa);
    const sealer = new addon.RecordChain(STRICT.id, KEY);
    const opener = new addon.RecordChain(STRICT.id, KEY);
    expect(sealer.seal(room, 40, 116, KEY, 33, 1)).toBe(0);
    expect([...room.subarray(0, 44), ...room.subarray(156)].every((byte) => byte === 0xaa)).toBe(true);
    const plaintext = new Uint8Array(100).fill(0xaa);
    expect(opener.open(room.subarray(44, 156), plaintext, 10)).toBe(2 * KEY.length);
    expect(plaintext.subarray(10, 42)).toEqual(KEY);
    expect([...plaintext.subarray(0, 10), ...plaintext.subarray(58)].every((byte) => byte === 0xaa)).toBe(
      true,
    );
  });

  it("are TypeErrors for methods of another object", () => {
    const { seal, open, wipe } = new addon.RecordChain(STRICT.id, KEY);
    for (const self of [{}, undefined, 1, Object.create(addon.RecordChain.prototype), addon]) {
      for (const method of [seal, open, wipe]) expect(() => call(method, self)).toThrow(TypeError);
    }
  });
});
