import type { Socket } from "node:net";

/**
 * Closes a connection by a reset. libuv resets none that has been shut for writing, and Node.js forgets to close it then:
 * such a one is closed, and the system resets it when the other side sends more.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
