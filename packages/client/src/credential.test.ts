import { CLASSIC, type ClientId, type Epoch, STRICT, utf8 } from "@pawl/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAggregate } from "./aggregate.ts";
import { parseAddress } from "./connect.ts";
import { type Credential, parseCredential, serializeCredential } from "./credential.ts";
import { memoryCredential } from "./credential-store.ts";
import { ReplyFormatError } from "./errors.ts";

const credential: Credential = {
  suite: STRICT,
  clientId: 7 as ClientId,
  epoch: 3 as Epoch,
  secret: new Uint8Array(32).fill(1),
  last: new Uint8Array(16).fill(2),
  service: "pawl",
  server: "[::1]:7433",
};

describe("a credential", () => {
  it("round-trips, and keeps what this version does not know", () => {
    const text = serializeCredential(credential, { note: "cellar", epoch: 99 });
    const { json, credential: parsed } = parseCredential(text, "f");
    expect(parsed).toEqual(credential);
    expect(json.note).toBe("cellar");
    expect(text.endsWith("\n")).toBe(true);
    const bare = { pawl: 1, suite: "strict", clientId: 1, epoch: 0, key: "A".repeat(43) };
    expect(parseCredential(JSON.stringify(bare), null).credential.last).toEqual(new Uint8Array(16));
    const classic = { ...credential, suite: CLASSIC, epoch: 0 as Epoch, secret: utf8("basekey") };
    expect(parseCredential(serializeCredential(classic), "f").credential.secret).toEqual(utf8("basekey"));
  });

  const good = JSON.parse(serializeCredential(credential)) as Record<string, unknown>;
  const WRONG: [string, unknown, string][] = [
    ["no JSON", "{", "is no JSON"],
    ["a list", [], "is no credential"],
    ["another version", { ...good, pawl: 2 }, '"pawl" is not 1'],
    ["an unknown suite", { ...good, suite: "best" }, '"suite" is none of'],
    ["client 0", { ...good, clientId: 0 }, '"clientId": a client id is an integer'],
    ["an epoch that is no integer", { ...good, epoch: "3" }, '"epoch"'],
    ["an epoch in classic", { ...good, suite: "classic" }, '"epoch" is 0 in classic'],
    ["a key that is no base64url", { ...good, key: "+/=" }, '"key" is no base64url'],
    ["a short key", { ...good, key: "AAAA" }, '"key" has 3 bytes, not 32'],
    ["a short last", { ...good, last: "AAAA" }, '"last" has 3 bytes, not 16'],
    ["a server that is no text", { ...good, server: 7 }, '"server" is no text'],
  ];
  it.each(WRONG)("with %s names what is wrong, and never a value", (_name, json, message) => {
    const text = typeof json === "string" ? json : JSON.stringify(json);
    const error = (() => {
      try {
        parseCredential(text, "meter.pawl");
      } catch (thrown) {
        return thrown as Error;
      }
      throw new Error("it was taken");
    })();
    expect(error).toMatchObject({ code: "PAWL_CREDENTIAL_FORMAT", path: "meter.pawl" });
    expect(error.message).toContain(`meter.pawl: ${message}`);
    expect(error.message).not.toContain(String(good.key));
  });

  it("that is any text at all is refused with that class", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseCredential(text, null)).toThrow(
          expect.objectContaining({ code: "PAWL_CREDENTIAL_FORMAT" }),
        );
      }),
    );
  });

  it("in memory is moved by compare-and-set", async () => {
    const store = memoryCredential(credential);
    const first = await store.load();
    const next = { epoch: 4 as Epoch, secret: new Uint8Array(32).fill(4), last: new Uint8Array(16) };
    expect(await store.commit({ epoch: 3 as Epoch, secret: new Uint8Array(32) }, next)).toBe("lost");
    expect(await store.commit({ epoch: 2 as Epoch, secret: first.secret }, next)).toBe("lost");
    expect(await store.commit(first, next)).toBe("done");
    first.secret.fill(9);
    expect(await store.load()).toMatchObject({ epoch: 4, secret: new Uint8Array(32).fill(4) });
    await store.close();
  });
});

describe("parseAddress", () => {
  it("reads host, port, and brackets", () => {
    expect(parseAddress("example.net:1")).toEqual({ host: "example.net", port: 1 });
    expect(parseAddress("127.0.0.1")).toEqual({ host: "127.0.0.1", port: 7433 });
    expect(parseAddress("[::1]:65535")).toEqual({ host: "::1", port: 65_535 });
    for (const bad of ["", ":1", "a:0", "a:65536", "::1", "a b:1", "[::1", "http://a:1"]) {
      expect(() => parseAddress(bad)).toThrow("an address is host:port");
    }
  });
});

describe("parseAggregate", () => {
  it("takes the answer of a round, and nothing else", () => {
    const text =
      '{"round":3,"value":null,"aggregate":null,"overflow":true,"contributors":2,"also":{"sum":"4"}}';
    expect(parseAggregate(utf8(text))).toEqual({
      round: 3,
      value: null,
      aggregate: null,
      overflow: true,
      contributors: 2,
      also: { sum: "4" },
    });
    for (const bad of ["", "7", "null", "{}", '{"round":-1,"contributors":1,"value":"1","aggregate":"1"}']) {
      expect(() => parseAggregate(utf8(bad))).toThrow(ReplyFormatError);
    }
    expect(() => parseAggregate(utf8('{"round":1,"contributors":1,"value":1,"aggregate":"1"}'))).toThrow(
      "value",
    );
    expect(() => parseAggregate(Uint8Array.of(0xff))).toThrow(ReplyFormatError);
  });
});
