import { execFileSync } from "node:child_process";
import { env, execArgv, execPath } from "node:process";
import { describe, expect, it } from "vitest";
import { defaultCrypto } from "./default.ts";

/** What a process of its own chooses, or the code and text of its error. */
function chosenWith(PAWL_CRYPTO: string | undefined, before = ""): string {
  const { href } = new URL("./default.ts", import.meta.url);
  const program = `
    ${before}
    const { defaultCrypto } = await import(${JSON.stringify(href)});
    try { console.log(defaultCrypto().name); } catch (error) { console.log(error.code + ": " + error.message); }`;
  const { PAWL_CRYPTO: _, ...rest } = env;
  return execFileSync(execPath, [...execArgv, "--input-type=module", "--eval", program], {
    encoding: "utf8",
    env: { ...rest, ...(PAWL_CRYPTO === undefined ? {} : { PAWL_CRYPTO }) },
  }).trim();
}

describe("defaultCrypto", () => {
  it("is the native one where its addon loads, which PAWL_CRYPTO overrides", () => {
    expect(chosenWith(undefined)).toBe("native");
    expect(chosenWith("")).toBe("native");
    expect(chosenWith("native")).toBe("native");
    expect(chosenWith("node")).toBe("node");
  });

  it("says what it takes", () => {
    expect(chosenWith("openssl")).toBe(
      'PAWL_CRYPTO_UNAVAILABLE: PAWL_CRYPTO is native or node, not "openssl"',
    );
  });

  it("is that of node:crypto in FIPS mode, since the addon's hashes are not those of a validated module", () => {
    const fips = `
      const { default: crypto } = await import("node:crypto");
      crypto.getFips = () => 1;
      (await import("node:module")).syncBuiltinESMExports();`;
    expect(chosenWith(undefined, fips)).toBe("node");
    expect(chosenWith("node", fips)).toBe("node");
    expect(chosenWith("native", fips)).toMatch(/^PAWL_CRYPTO_UNAVAILABLE: .* FIPS mode/);
  });

  it("is the same on every call", () => {
    expect(defaultCrypto()).toBe(defaultCrypto());
  });
});
