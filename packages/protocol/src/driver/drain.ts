import type { Socket } from "node:net";
import type { Clock } from "./clock.ts";

/** How long a half-closed connection is read from before it is destroyed, in milliseconds. */
export const DRAIN_MS = 1_000;

/**
 * Ends a connection whose last packet was TERMINATE (section 2): half-closes and discards what still comes, since a plain
 * close with unread input makes the kernel reset the stream and lose the TERMINATE. Destroys it after `DRAIN_MS`.
 */
export function halfCloseAndDrain(socket: Socket, clock: Clock): void {
  if (socket.destroyed) return;
  const cancel = clock.after(DRAIN_MS, () => socket.destroy());
  socket.once("close", cancel);
  socket.on("error", () => socket.destroy());
  socket.removeAllListeners("data");
  socket.resume();
  socket.end();
}
