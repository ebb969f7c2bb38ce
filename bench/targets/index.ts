import { TARGETS as OWN, type Targets } from "@pawl/bench/targets";

const { net, "tls-psk-cbc": tlsPskCbc, "tls-psk-gcm": tlsPskGcm, ...pawl } = OWN;

/** Those of `pawl bench`, and peers that are packages of others. A new one is a file here and a line. */
export const TARGETS: Targets = {
  net,
  "tls-psk-cbc": tlsPskCbc,
  "tls-psk-gcm": tlsPskGcm,
  "secret-stream": async () => (await import("./secret-stream.ts")).secretStream,
  "noise-libp2p": async () => (await import("./noise-libp2p.ts")).noiseLibp2p,
  ...pawl,
};
