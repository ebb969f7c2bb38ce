import {
  type ClientId,
  defaultCrypto,
  type Epoch,
  EpochSecret,
  importPsk,
  KeyError,
  toHex,
  utf8,
} from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import {
  Chain,
  ClassicChain,
  expand,
  extract,
  type PacketKeys,
  SessionSecret,
} from "../packages/protocol/src/key-schedule.ts";
import { bytes, readVectors, type ScheduleVectors } from "./load.ts";
import { suiteOf } from "./play.ts";

const vectors = readVectors<ScheduleVectors>("schedule");

const hexKeys = (keys: PacketKeys) => ({
  enc: toHex(keys.enc),
  mac: keys.mac === null ? undefined : toHex(keys.mac),
});
const secretOf = (suite: number, id: number, epoch: number, secret: string) =>
  new EpochSecret(defaultCrypto(), suiteOf(suite), id as ClientId, epoch as Epoch, bytes(secret));

describe("schedule.json", () => {
  it.each(vectors.expand)("$id", ({ k, label, ctx, n, out }) => {
    expect(toHex(expand(defaultCrypto(), bytes(k), label, bytes(ctx), n))).toBe(out);
  });

  it.each(vectors.epochs)("$id", (v) => {
    const secret = secretOf(v.suite, v.clientId, v.epoch, v.E);
    expect(hexKeys(secret.helloKeys())).toEqual({ enc: v.helloEnc, mac: v.helloMac });
    expect(hexKeys(secret.challengeKeys())).toEqual({ enc: v.challengeEnc, mac: v.challengeMac });
    // The chains of hello_e and challenge_e are inside; their packet keys above follow from these values alone.
    const context = `0${v.suite}${v.clientId.toString(16).padStart(8, "0")}${v.epoch.toString(16).padStart(8, "0")}`;
    for (const [label, out] of [
      ["c2s hello", v.hello],
      ["s2c challenge", v.challenge],
      ["session", v.S],
    ] as const) {
      expect(toHex(expand(defaultCrypto(), bytes(v.E), label, bytes(context)))).toBe(out);
    }
    if (v.Enext === null) expect(() => secret.next()).toThrow("last epoch");
    else expect(toHex(secret.next().copy())).toBe(v.Enext);
  });

  it.each(vectors.forward)("$id", (v) => {
    expect(
      toHex(
        secretOf(v.suite, v.clientId, 0, v.E0)
          .forward(v.epoch as Epoch)
          .copy(),
      ),
    ).toBe(v.E);
  });

  it.each(vectors.import)("$id", (v) => {
    const options = {
      suite: suiteOf(v.suite),
      clientId: v.clientId as ClientId,
      psk: bytes(v.psk),
      enrolment: v.enrolment,
      service: v.service,
    };
    if (v.error !== undefined) {
      expect(() => importPsk(defaultCrypto(), options)).toThrow(KeyError);
      return;
    }
    expect(toHex(extract(defaultCrypto(), utf8("pawl/1 import"), bytes(v.psk)))).toBe(v.extract);
    const { secret, check } = importPsk(defaultCrypto(), options);
    expect({ E0: toHex(secret), check: toHex(check) }).toEqual({ E0: v.E0, check: v.check });
  });

  it.each(vectors.traffic)("$id", (v) => {
    const { c2s, s2c } = new SessionSecret(defaultCrypto(), suiteOf(v.suite), bytes(v.S)).traffic(bytes(v.T));
    expect(hexKeys(c2s.keys())).toEqual({ enc: v.c2s.enc, mac: v.c2s.mac });
    expect(hexKeys(s2c.keys())).toEqual({ enc: v.s2c.enc, mac: v.s2c.mac });
  });

  it.each(vectors.ratchet)("$id", (v) => {
    const chain = new Chain(defaultCrypto(), suiteOf(v.suite), bytes(v.chain));
    expect(hexKeys(chain.keys())).toEqual({ enc: v.enc, mac: v.mac });
    chain.advance(bytes(v.iv), bytes(v.tag));
    const next = new Chain(defaultCrypto(), suiteOf(v.suite), bytes(v.next));
    expect(hexKeys(chain.keys())).toEqual(hexKeys(next.keys()));
  });

  it.each(vectors.classic)("$id", (v) => {
    const chain = ClassicChain.start(defaultCrypto(), bytes(v.basekey), v.clientId as ClientId);
    expect(hexKeys(chain.keys())).toEqual({ enc: v.enc, mac: v.mac });
    expect(v.mac).toBe(v.master);
  });

  it.each(vectors.classicEvolve)("$id", (v) => {
    const chain = ClassicChain.fromKeys(defaultCrypto(), bytes(v.enc), bytes(v.mac));
    chain.advance(new Uint8Array(), new Uint8Array(), bytes(v.message));
    expect(hexKeys(chain.keys())).toEqual({ enc: v.nextEnc, mac: v.nextMac });
  });
});
