import { type Addon, loadAddon } from "../addon.ts";
import { nativeCrypto } from "../provider.ts";

const found = loadAddon();
if (!("RecordChain" in found)) throw new Error(`npm run prepare builds the addon: ${found.join("; ")}`);

/** As it was built here. */
export const addon: Addon = found;
export const native = nativeCrypto(addon);

export const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
