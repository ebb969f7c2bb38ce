import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../bytes.ts";
import { expand, extract } from "../key-schedule.ts";
import { nodeCrypto } from "./node.ts";

// Each primitive once against the published vectors of its own specification; OpenSSL has its own tests.
describe("nodeCrypto", () => {
  it("SHA-256 (FIPS 180-4)", () => {
    expect(toHex(nodeCrypto.sha256(utf8("a"), utf8("bc")))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it("HMAC-SHA-256 (RFC 4231, 4.3)", () => {
    expect(toHex(nodeCrypto.hmacSha256(utf8("Jefe"), utf8("what do ya want "), utf8("for nothing?")))).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });

  it("HKDF-Extract (RFC 5869, A.1) and an expansion of more than one block", () => {
    const prk = extract(nodeCrypto, fromHex("000102030405060708090a0b0c"), fromHex("0b".repeat(22)));
    expect(toHex(prk)).toBe("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    const long = expand(nodeCrypto, prk, "enc", new Uint8Array(), 100);
    expect(long).toHaveLength(100);
    expect(toHex(long.subarray(0, 32))).toBe(toHex(expand(nodeCrypto, prk, "enc", new Uint8Array(), 32)));
  });

  it("AES-128-CBC (RFC 3602, case 1; one block of padding follows)", () => {
    const key = fromHex("06a9214036b8a15b512e03d534120006");
    const iv = fromHex("3dafba429d9eb430b422da802c9fac41");
    const sealed = nodeCrypto.cbcEncrypt(key, iv, utf8("Single block msg"));
    expect(toHex(sealed.subarray(0, 16))).toBe("e353779c1079aeb82708942dbe77181a");
    expect(sealed).toHaveLength(32);
    expect(nodeCrypto.cbcDecrypt(key, iv, sealed)).toEqual(utf8("Single block msg"));
    expect(nodeCrypto.cbcDecrypt(key, iv, sealed.subarray(0, 16))).toBeNull();
  });

  it("AES-256-GCM (McGrew and Viega, case 16), and null for a wrong tag", () => {
    const key = fromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    const nonce = fromHex("cafebabefacedbaddecaf888");
    const associated = fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const plaintext = fromHex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    );
    const { ciphertext, tag } = nodeCrypto.gcmSeal(key, nonce, associated, plaintext);
    expect(toHex(tag)).toBe("76fc6ece0f4e1768cddf8853bb2d551b");
    expect(toHex(ciphertext).startsWith("522dc1f099567d07f47f37a32a84427d")).toBe(true);
    expect(nodeCrypto.gcmOpen(key, nonce, associated, ciphertext, tag)).toEqual(plaintext);
    const wrong = Uint8Array.from(tag, (byte, i) => (i === 15 ? byte ^ 1 : byte));
    expect(nodeCrypto.gcmOpen(key, nonce, associated, ciphertext, wrong)).toBeNull();
  });

  it("gives out plain arrays, whose slice is a copy", () => {
    const hash = nodeCrypto.sha256(utf8("x"));
    const copy = hash.slice();
    hash.fill(0);
    expect(copy).not.toEqual(hash);
  });

  it("compares", () => {
    expect(nodeCrypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(nodeCrypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(nodeCrypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  });
});
