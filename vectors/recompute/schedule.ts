import { type ClientId, concat, importPsk, KeyError, nodeCrypto, toHex, u32, utf8 } from "@pawl/protocol";
import { ClassicChain, expand, extract, packetKeys } from "../../packages/protocol/src/key-schedule.ts";
import { bytes, type ScheduleVectors } from "../load.ts";
import { suiteOf } from "../play.ts";

/** `X(k, label, ctx, n)` in hex. */
export function derive(key: string, label: string, context: string, length = 32): string {
  return toHex(expand(nodeCrypto, bytes(key), label, bytes(context), length));
}

/** `u8 suite ‖ u32 clientId ‖ u32 epoch` in hex. */
export function epochContext(suite: number, clientId: number, epoch: number): string {
  return toHex(concat(Uint8Array.of(suite), u32(clientId), u32(epoch)));
}

/** `enc` and, but for suite 3, `mac` of a chain, in hex. */
export function keysOf(suite: number, chain: string): { enc: string; mac?: string } {
  const { enc, mac } = packetKeys(nodeCrypto, suiteOf(suite), bytes(chain));
  return { enc: toHex(enc), ...(mac === null ? {} : { mac: toHex(mac) }) };
}

/** Sets members that the object has, and keeps their order. */
export function fill<T extends object>(target: T, values: Partial<T>): T {
  const out = { ...target };
  for (const key of Object.keys(values) as (keyof T)[]) {
    if (Object.hasOwn(out, key)) out[key] = values[key] as T[keyof T];
  }
  return out;
}

export function recomputeSchedule(file: ScheduleVectors & Record<string, unknown>): Record<string, unknown> {
  return {
    ...file,
    expand: file.expand.map((v) =>
      fill(v, {
        info: toHex(concat(utf8(`pawl/1 ${v.label}`), Uint8Array.of(0), bytes(v.ctx))),
        out: derive(v.k, v.label, v.ctx, v.n),
      }),
    ),
    epochs: file.epochs.map((v) => {
      const context = epochContext(v.suite, v.clientId, v.epoch);
      const [hello, challenge] = [derive(v.E, "c2s hello", context), derive(v.E, "s2c challenge", context)];
      const [helloKeys, challengeKeys] = [keysOf(v.suite, hello), keysOf(v.suite, challenge)];
      return fill(v, {
        hello,
        challenge,
        S: derive(v.E, "session", context),
        Enext: v.epoch === 2 ** 32 - 1 ? null : derive(v.E, "next epoch", context),
        helloEnc: helloKeys.enc,
        challengeEnc: challengeKeys.enc,
        ...(helloKeys.mac === undefined ? {} : { helloMac: helloKeys.mac }),
        ...(challengeKeys.mac === undefined ? {} : { challengeMac: challengeKeys.mac }),
      });
    }),
    forward: file.forward.map((v) => {
      let secret = v.E0;
      for (let e = 0; e < v.epoch; e++)
        secret = derive(secret, "next epoch", epochContext(v.suite, v.clientId, e));
      return fill(v, { E: secret });
    }),
    import: file.import.map((v) => {
      const { enrolment, service } = v;
      const input = {
        suite: suiteOf(v.suite),
        clientId: v.clientId as ClientId,
        enrolment,
        service,
        psk: bytes(v.psk),
      };
      try {
        const { secret, check } = importPsk(nodeCrypto, input);
        const extracted = extract(nodeCrypto, utf8("pawl/1 import"), bytes(v.psk));
        return fill(v, { extract: toHex(extracted), E0: toHex(secret), check: toHex(check) });
      } catch (error) {
        if (!(error instanceof KeyError)) throw error;
        return fill(v, { error: "refused" });
      }
    }),
    traffic: file.traffic.map((v) => {
      const chain = (label: string) => {
        const bytesOfChain = derive(v.S, label, v.T);
        return { chain: bytesOfChain, ...keysOf(v.suite, bytesOfChain) };
      };
      return fill(v, { c2s: fill(v.c2s, chain("c2s traffic")), s2c: fill(v.s2c, chain("s2c traffic")) });
    }),
    ratchet: file.ratchet.map((v) =>
      fill(v, { ...keysOf(v.suite, v.chain), next: derive(v.chain, "ratchet", v.iv + v.tag) }),
    ),
    classic: file.classic.map((v) => {
      const keys = ClassicChain.start(nodeCrypto, bytes(v.basekey), v.clientId as ClientId).keys();
      const mac = toHex(keys.mac ?? new Uint8Array());
      return fill(v, { master: mac, enc: toHex(keys.enc), mac });
    }),
    classicEvolve: file.classicEvolve.map((v) => {
      const chain = ClassicChain.fromKeys(nodeCrypto, bytes(v.enc), bytes(v.mac));
      chain.advance(new Uint8Array(), new Uint8Array(), bytes(v.message));
      const { enc, mac } = chain.keys();
      return fill(v, { nextEnc: toHex(enc), nextMac: toHex(mac ?? new Uint8Array()) });
    }),
  };
}
