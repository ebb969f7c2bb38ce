import { STRICT, STRICT_GCM } from "@pawl/protocol";
import { net } from "./net.ts";
import { pawl } from "./pawl.ts";
import type { Target } from "./target.ts";
import { tlsPsk } from "./tls-psk.ts";

/** Every peer, by the name that results carry. */
export const TARGETS: Readonly<Record<string, Target>> = {
  net,
  "tls-psk-cbc": tlsPsk("PSK-AES128-CBC-SHA256"),
  "tls-psk-gcm": tlsPsk("PSK-AES128-GCM-SHA256"),
  "pawl-strict-node": pawl(STRICT),
  "pawl-strict-gcm-node": pawl(STRICT_GCM),
};
