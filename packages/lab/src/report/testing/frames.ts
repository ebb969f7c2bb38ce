import type { Epoch, Round } from "@pawl/protocol";
import {
  clientId,
  concat,
  encodeHeader,
  HEADER_BYTES,
  type Opcode,
  SUITES,
  type SuiteName,
  u32,
} from "@pawl/protocol";

/** A frame with a legal header; behind it bytes that count up. @param what.message bytes of it */
export function sampleFrame(
  what: {
    readonly suite?: SuiteName;
    readonly opcode?: Opcode;
    readonly direction?: "c2s" | "s2c";
    readonly round?: number;
    readonly message?: number;
  } = {},
): Uint8Array {
  const { suite: name = "strict", opcode = "DATA", direction = "c2s", round = 1, message = 5 } = what;
  const suite = SUITES.find((one) => one.name === name);
  if (suite === undefined) throw new Error(`no suite ${name}`);
  const { cipher, ivBytes, tagBytes } = suite;
  const ciphertext = cipher === "gcm" ? message + 1 : 16 * (Math.floor((message + 1) / 16) + 1);
  const packet = Uint8Array.from(
    { length: HEADER_BYTES + ivBytes + ciphertext + tagBytes },
    (_, index) => index & 0xff,
  );
  const place = { clientId: clientId(7), epoch: 0 as Epoch, round: round as Round };
  encodeHeader({ suite, opcode, direction, ...place }, packet, 0);
  return concat(u32(packet.length), packet);
}
