import type { Socket } from "node:net";
import type { CryptoProvider } from "../crypto/provider.ts";

/**
 * Writes one frame in one call, and gives its memory back where the system has taken it all.
 * @returns false where it waits for a peer that does not read fast enough, as `socket.write` says
 */
export function sendFrame(socket: Socket, frame: Uint8Array, crypto: CryptoProvider): boolean {
  if (socket.destroyed) return true;
  const flowing = socket.write(frame);
  if (socket.writableLength === 0) crypto.recycle?.(frame);
  return flowing;
}
