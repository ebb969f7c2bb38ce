import { clientId, encodeHeader, epoch, type Opcode, round, STRICT, u32, writeU32 } from "@pawl/protocol";

const C2S: readonly Opcode[] = ["HELLO", "DATA", "TERMINATE"];

/** A frame in the form of the protocol whose sealed part is all `fill`: length and packet. @param packet its bytes */
export function frame(opcode: Opcode, number = 1, { fill = 0xaa, packet = 80 } = {}): Uint8Array {
  const out = new Uint8Array(u32(0).length + packet).fill(fill);
  writeU32(out, packet, 0);
  const direction = C2S.includes(opcode) ? "c2s" : "s2c";
  encodeHeader(
    { suite: STRICT, opcode, direction, clientId: clientId(7), epoch: epoch(0), round: round(number) },
    out,
    4,
  );
  return out;
}
