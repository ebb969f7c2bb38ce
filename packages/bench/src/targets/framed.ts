import type { Socket } from "node:net";
import type { MessagePipe } from "./pipe.ts";

/** Messages with a length before them, for peers that carry bytes and know no messages. */

const LENGTH_BYTES = 4;

export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + message.length);
  frame.writeUInt32BE(message.length, 0);
  frame.set(message, LENGTH_BYTES);
  return frame;
}

/** Takes the stream's chunks one by one; calls back with each whole message, without its length. */
export function unframer(take: (message: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer | null = null;
  return (chunk) => {
    let at: Buffer = held === null ? chunk : Buffer.concat([held, chunk]);
    while (at.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + at.readUInt32BE(0);
      if (at.length < end) break;
      take(at.subarray(LENGTH_BYTES, end));
      at = at.subarray(end);
    }
    held = at.length === 0 ? null : at;
  };
}

/** Over a socket, plain or TLS. */
export function socketPipe(socket: Socket): MessagePipe {
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  return {
    send: (message) => socket.write(framed(message)),
    onMessage: (take) => socket.on("data", unframer(take)),
    onEnd: (ended) => socket.on("close", ended),
    close: () => socket.destroy(),
  };
}
