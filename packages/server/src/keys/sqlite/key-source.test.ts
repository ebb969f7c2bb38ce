import { describe, expect, it } from "vitest";
import { FakeClock } from "../../testing/fake-clock.ts";
import { type Keyring, MissingDbKeyError } from "../wrapping.ts";
import { KeySource } from "./key-source.ts";

/** Reads need db key `wanted`; the source has the keys `0` to `known`. */
function scene() {
  const clock = new FakeClock();
  let keyring: Keyring | null = null;
  const state = { asked: 0, known: 1, wanted: 0 };
  const keyOf = (n: number) => new Uint8Array(32).fill(n);
  const source = new KeySource(
    {
      useKeyring: (now) => {
        keyring = now;
      },
    },
    clock,
    async () => {
      state.asked++;
      return Array.from({ length: state.known }, (_, n) => keyOf(n));
    },
  );
  const read = () => {
    if (keyring === null || keyring.ids.length <= state.wanted) throw new MissingDbKeyError("x", []);
    return "read";
  };
  return { clock, state, source, read };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

describe("the source of db keys", () => {
  it("is asked once for all who miss a key, and not while none is missed", async () => {
    const { source, read, state } = scene();
    const all = Array.from({ length: 20 }, () => source.withKeys(read));
    expect(await Promise.all(all)).toEqual(Array.from({ length: 20 }, () => "read"));
    expect(state.asked).toBe(1);
    await source.withKeys(read);
    expect(state.asked).toBe(1);
  });

  it("lets those wait who miss the next key too soon, rather than refuse them", async () => {
    const { source, read, state, clock } = scene();
    await source.withKeys(read);
    Object.assign(state, { known: 2, wanted: 1 });
    const waiting = Promise.all([source.withKeys(read), source.withKeys(read)]);
    await turns();
    expect(state.asked).toBe(1);
    clock.advance(1_000);
    expect(await waiting).toEqual(["read", "read"]);
    expect(state.asked).toBe(2);
  });

  it("does not hide what is missing for good, nor other errors", async () => {
    const { source, read, state, clock } = scene();
    state.wanted = 5;
    await expect(source.withKeys(read)).rejects.toThrow(MissingDbKeyError);
    const again = source.withKeys(read);
    await turns();
    clock.advance(1_000);
    await expect(again).rejects.toThrow(MissingDbKeyError);
    expect(state.asked).toBe(2);
    const broken = () => {
      throw new Error("broken");
    };
    await expect(source.withKeys(broken)).rejects.toThrow("broken");
    expect(state.asked).toBe(2);
  });
});
