import { clientId, epoch } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { describe, expect, it } from "vitest";
import { StoreError } from "./errors.ts";
import { secretOf } from "./testing/fixtures.ts";
import {
  dbKeyId,
  Keyring,
  MissingDbKeyError,
  type SecretBinding,
  unwrapAuditKey,
  unwrapSecret,
  wrapAuditKey,
  wrapSecret,
} from "./wrapping.ts";

const key = new Uint8Array(32).fill(1);
const binding: SecretBinding = { service: "pawl", suite: 2, clientId: clientId(7), epoch: epoch(3) };

describe("a wrapped secret", () => {
  it("opens under its key, at its place", () => {
    const secret = secretOf(1);
    const wrapped = wrapSecret(key, binding, secret, systemRandom);
    expect(wrapped).toHaveLength(12 + 32 + 16);
    expect(Buffer.from(wrapped).includes(Buffer.from(secret))).toBe(false);
    expect(unwrapSecret(key, binding, wrapped)).toEqual(secret);
    expect(secret).toEqual(secretOf(1));
    expect(wrapSecret(key, binding, secret, systemRandom)).not.toEqual(wrapped);
  });

  it.each<[string, Partial<SecretBinding>]>([
    ["service", { service: "other" }],
    ["suite", { suite: 3 }],
    ["client", { clientId: clientId(8) }],
    ["epoch", { epoch: epoch(4) }],
  ])("does not open at another %s", (_what, other) => {
    const wrapped = wrapSecret(key, binding, secretOf(1), systemRandom);
    expect(unwrapSecret(key, { ...binding, ...other }, wrapped)).toBeNull();
  });

  it("does not open with any bit flipped, cut short, or under another key", () => {
    const wrapped = wrapSecret(key, binding, secretOf(1), systemRandom);
    for (let bit = 0; bit < wrapped.length * 8; bit++) {
      const altered = Uint8Array.from(wrapped, (byte, i) =>
        i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
      );
      expect(unwrapSecret(key, binding, altered)).toBeNull();
    }
    for (let length = 0; length < wrapped.length; length++) {
      expect(unwrapSecret(key, binding, wrapped.subarray(0, length))).toBeNull();
    }
    expect(unwrapSecret(new Uint8Array(32).fill(2), binding, wrapped)).toBeNull();
  });

  it("of a client is under a key of that client, so that one of the audit log is not mistaken for it", () => {
    const storeId = new Uint8Array(16).fill(9);
    const wrapped = wrapAuditKey(key, storeId, secretOf(1), systemRandom);
    expect(unwrapAuditKey(key, storeId, wrapped)).toEqual(secretOf(1));
    expect(unwrapAuditKey(key, new Uint8Array(16), wrapped)).toBeNull();
    expect(unwrapSecret(key, binding, wrapped)).toBeNull();
  });
});

describe("a keyring", () => {
  it("finds keys by ids that do not tell them, and says which is missing", () => {
    const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const ring = new Keyring([first, second]);
    expect(ring.ids).toEqual([dbKeyId(first), dbKeyId(second)]);
    first.fill(0);
    expect(ring.get(dbKeyId(new Uint8Array(32).fill(1)))).toEqual(new Uint8Array(32).fill(1));
    expect(dbKeyId(second)).toMatch(/^[0-9a-f]{16}$/);
    expect(() => ring.get("0000000000000000")).toThrow(MissingDbKeyError);
    expect(() => ring.get("0000000000000000")).toThrow(
      /under db key 0000000000000000, and what was given is/,
    );
    expect(() => new Keyring([new Uint8Array(31)])).toThrow(StoreError);
    const held = ring.get(dbKeyId(second));
    ring.wipe();
    expect(held).toEqual(new Uint8Array(32));
    expect(ring.ids).toEqual([]);
  });
});
