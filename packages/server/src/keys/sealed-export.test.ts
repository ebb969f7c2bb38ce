import { CLASSIC, clientId, epoch, STRICT, utf8 } from "@pawl/protocol";
import { describe, expect, it } from "vitest";
import { openExport, sealExport } from "./sealed-export.ts";
import type { ExportedClient } from "./store.ts";
import { acceptedAt, secretOf } from "./testing/fixtures.ts";

const PASSPHRASE = "correct horse battery staple";

function clients(): ExportedClient[] {
  const common = { created: 1, moved: 2, label: null, lastSeen: null, accepted: null, revoked: null };
  return [
    {
      ...common,
      clientId: clientId(7),
      suite: STRICT,
      epoch: epoch(3),
      secret: secretOf(3),
      label: "küche",
      lastSeen: 9,
      accepted: acceptedAt(2),
    },
    {
      ...common,
      clientId: clientId(8),
      suite: CLASSIC,
      epoch: epoch(0),
      secret: utf8("basekey"),
      revoked: { at: 5, reason: "lost" },
    },
  ];
}

const seal = () => sealExport({ service: "meters", exportedAt: 1_000, clients: clients() }, PASSPHRASE);

describe("a sealed export", () => {
  it("opens with its passphrase to what was sealed, and shows nothing without", async () => {
    const own = clients();
    const text = await sealExport({ service: "meters", exportedAt: 1_000, clients: own }, PASSPHRASE);
    expect(own[0]?.secret).toEqual(new Uint8Array(32));
    expect(text).not.toMatch(/meters|küche/);
    expect(text).not.toContain(Buffer.from(secretOf(3)).toString("base64url"));
    expect(await openExport(text, PASSPHRASE, "f")).toEqual({
      service: "meters",
      exportedAt: 1_000,
      clients: clients(),
    });
    expect(await seal()).not.toBe(text);
  });

  it("is refused with another passphrase, or with anything altered", async () => {
    const text = await seal();
    await expect(openExport(text, `${PASSPHRASE}r`, "f")).rejects.toThrow(
      /^f: another passphrase, or the file was altered/,
    );
    const json = JSON.parse(text) as Record<string, unknown> & {
      kdf: Record<string, unknown>;
      sealed: string;
    };
    const [first = ""] = json.sealed;
    for (const altered of [
      { ...json, sealed: `${first === "A" ? "B" : "A"}${json.sealed.slice(1)}` },
      { ...json, kdf: { ...json.kdf, salt: "AAAAAAAAAAAAAAAAAAAAAA" } },
      { ...json, sealed: "" },
    ]) {
      await expect(openExport(JSON.stringify(altered), PASSPHRASE, "f")).rejects.toThrow(/altered/);
    }
  });

  it("that is none, or asks for too much, is refused before anything is derived", async () => {
    const json = JSON.parse(await seal()) as Record<string, unknown> & { kdf: Record<string, unknown> };
    for (const wrong of [
      "",
      "{}",
      JSON.stringify({ ...json, pawlExport: 2 }),
      JSON.stringify({ ...json, kdf: { ...json.kdf, n: 2 ** 30 } }),
      JSON.stringify({ ...json, more: 1 }),
    ]) {
      await expect(openExport(wrong, PASSPHRASE, "f")).rejects.toThrow(/^f is no export of Pawl/);
    }
  });

  it("is not made under a short passphrase", async () => {
    await expect(sealExport({ service: "x", exportedAt: 0, clients: [] }, "short")).rejects.toThrow(
      /at least 12/,
    );
  });
});
