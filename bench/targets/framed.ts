import type { Socket } from "node:net";
import type { BenchConnection } from "./target.ts";

/** Messages with a length before them, on any stream: what the plain peers share. */

/** Calls back with each whole message, without its length. */
function onMessage(stream: Socket, take: (message: Buffer) => void): void {
  let held: Buffer | null = null;
  stream.on("data", (chunk: Buffer) => {
    let at: Buffer = held === null ? chunk : Buffer.concat([held, chunk]);
    while (at.length >= 4) {
      const end = 4 + at.readUInt32BE(0);
      if (at.length < end) break;
      take(at.subarray(4, end));
      at = at.subarray(end);
    }
    held = at.length === 0 ? null : at;
  });
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(4 + message.length);
  frame.writeUInt32BE(message.length, 0);
  frame.set(message, 4);
  return frame;
}

export function echo(stream: Socket): void {
  stream.setNoDelay(true);
  stream.on("error", () => stream.destroy());
  onMessage(stream, (message) => stream.write(framed(message)));
}

export function framedConnection(stream: Socket): BenchConnection {
  let waiting: { resolve: (message: Uint8Array) => void; reject: (error: Error) => void } | null = null;
  stream.setNoDelay(true);
  onMessage(stream, (message) => {
    const { resolve } = waiting ?? {};
    waiting = null;
    resolve?.(message);
  });
  stream.on("error", (error) => waiting?.reject(error));
  stream.on("close", () => waiting?.reject(new Error("the connection closed")));
  return {
    roundTrip: (message) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        stream.write(framed(message));
      }),
    close: async () => {
      stream.destroy();
    },
  };
}
