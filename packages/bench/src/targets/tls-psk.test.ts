import { describe, expect, it } from "vitest";
import { availableTargets } from "../choose.ts";
import { TARGETS } from "./index.ts";
import { tlsPsk } from "./tls-psk.ts";

describe("TLS with pre-shared keys", () => {
  it("says where the OpenSSL of this Node.js cannot have it, and the others go on", async () => {
    const leftOut: string[] = [];
    const targets = { net: TARGETS.net, "tls-psk": async () => tlsPsk("PSK-ROT13") };
    const left = await availableTargets(targets, ["net", "tls-psk"], (name, why) =>
      leftOut.push(`${name}: ${why}`),
    );
    expect(left.map(({ name }) => name)).toEqual(["net"]);
    expect(leftOut).toEqual(["tls-psk: the OpenSSL of this Node.js has no PSK-ROT13"]);
  });

  it("is there where this Node.js is that of nodejs.org", async () => {
    expect((await TARGETS["tls-psk-cbc"]()).unavailable?.()).toBeNull();
  });

  it("alone, where it cannot be had, leaves nothing to measure", async () => {
    const targets = { "tls-psk": async () => tlsPsk("PSK-ROT13") };
    await expect(availableTargets(targets, ["tls-psk"], () => {})).rejects.toThrow("nothing left to measure");
  });
});
