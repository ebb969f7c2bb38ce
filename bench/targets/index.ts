import type { SuiteName } from "@pawl/protocol";
import type { ProviderName } from "./pawl.ts";
import type { Target } from "./target.ts";

/**
 * Everything that is measured, by the name that results carry. Each process loads the one that it plays: the code of the others
 * would only take its memory.
 */
export const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  net: async () => (await import("./net.ts")).net,
  "tls-psk-cbc": () => tls("PSK-AES128-CBC-SHA256"),
  "tls-psk-gcm": () => tls("PSK-AES128-GCM-SHA256"),
  "secret-stream": async () => (await import("./secret-stream.ts")).secretStream,
  "noise-libp2p": async () => (await import("./noise-libp2p.ts")).noiseLibp2p,
  "pawl-strict-native": () => pawl("strict", "native"),
  "pawl-strict-node": () => pawl("strict", "node"),
  "pawl-strict-gcm-native": () => pawl("strict-gcm", "native"),
  "pawl-strict-gcm-node": () => pawl("strict-gcm", "node"),
};

/** What others are held against. */
export const BASES = { net: "net", tlsPskCbc: "tls-psk-cbc" } as const;

async function tls(cipher: string): Promise<Target> {
  return (await import("./tls-psk.ts")).tlsPsk(cipher);
}

async function pawl(suite: SuiteName, provider: ProviderName): Promise<Target> {
  return (await import("./pawl.ts")).pawl(suite, provider);
}
