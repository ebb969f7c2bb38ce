import { getFips } from "node:crypto";
import { env } from "node:process";
import { CryptoUnavailableError } from "../errors.ts";
import { loadAddon } from "./native/addon.ts";
import { nativeCrypto } from "./native/provider.ts";
import { nodeCrypto } from "./node.ts";
import type { CryptoProvider } from "./provider.ts";

let chosen: CryptoProvider | null = null;

/**
 * The native record layer where its addon loads, else the one on node:crypto; the same on every call. The variable
 * `PAWL_CRYPTO` decides instead where it is set: `node`, or `native`, for which no addon is an error. In FIPS mode it is
 * node:crypto: the addon's hashes are OpenSSL's, and not those of its validated module.
 * @throws CryptoUnavailableError
 */
export function defaultCrypto(): CryptoProvider {
  chosen ??= choose(env.PAWL_CRYPTO);
  return chosen;
}

function choose(wanted: string | undefined): CryptoProvider {
  if (wanted === "node") return nodeCrypto;
  if (wanted !== undefined && wanted !== "" && wanted !== "native") {
    throw new CryptoUnavailableError(`PAWL_CRYPTO is native or node, not ${JSON.stringify(wanted)}`);
  }
  if (getFips() === 1) {
    if (wanted !== "native") return nodeCrypto;
    throw new CryptoUnavailableError("PAWL_CRYPTO=native, but FIPS mode is on, which takes node");
  }
  const addon = loadAddon();
  if (!isMissing(addon)) return nativeCrypto(addon);
  if (wanted === "native") {
    throw new CryptoUnavailableError(`PAWL_CRYPTO=native, but the addon does not load: ${addon.join("; ")}`);
  }
  return nodeCrypto;
}

function isMissing(addon: ReturnType<typeof loadAddon>): addon is readonly string[] {
  return Array.isArray(addon);
}
