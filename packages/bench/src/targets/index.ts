import type { SuiteName } from "@pawl/protocol";
import type { ProviderName } from "./pawl.ts";
import type { Target } from "./target.ts";

/** What can be measured, and what a further peer is made of. */
export { framed, unframer } from "./framed.ts";
export { connectTo, listen } from "./listen.ts";
export { connectionOf, echo, type MessagePipe } from "./pipe.ts";
export type { Application, BenchConnection, Dial, ServeOptions, Target } from "./target.ts";

/** Targets by the name that results carry. Each process loads the one that it plays: the code of the others would only take its memory. */
export type Targets = Readonly<Record<string, () => Promise<Target>>>;

/** What others are held against. */
export const BASES = { net: "net", tlsPskCbc: "tls-psk-cbc" } as const;

/** Those that need nothing but Node.js and Pawl. */
export const TARGETS = {
  net: async () => (await import("./net.ts")).net,
  "tls-psk-cbc": () => tls("PSK-AES128-CBC-SHA256"),
  "tls-psk-gcm": () => tls("PSK-AES128-GCM-SHA256"),
  "pawl-strict-native": () => pawl("strict", "native"),
  "pawl-strict-node": () => pawl("strict", "node"),
  "pawl-strict-gcm-native": () => pawl("strict-gcm", "native"),
  "pawl-strict-gcm-node": () => pawl("strict-gcm", "node"),
} as const satisfies Targets;

async function tls(cipher: string): Promise<Target> {
  return (await import("./tls-psk.ts")).tlsPsk(cipher);
}

async function pawl(suite: SuiteName, provider: ProviderName): Promise<Target> {
  return (await import("./pawl.ts")).pawl(suite, provider);
}
