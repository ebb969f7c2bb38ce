import type { BenchConnection } from "./target.ts";

/** Whole messages in both directions: what each peer makes of its stream, and what servers and clients of the bench use. */
export interface MessagePipe {
  send(message: Uint8Array): void;
  onMessage(take: (message: Uint8Array) => void): void;
  onEnd(ended: () => void): void;
  close(): void;
}

export function echo(pipe: MessagePipe): void {
  pipe.onMessage((message) => pipe.send(message));
}

export function connectionOf(pipe: MessagePipe): BenchConnection {
  let waiting: { resolve: (message: Uint8Array) => void; reject: (error: Error) => void } | null = null;
  pipe.onMessage((message) => {
    const { resolve } = waiting ?? {};
    waiting = null;
    resolve?.(message);
  });
  pipe.onEnd(() => waiting?.reject(new Error("the connection closed")));
  return {
    roundTrip: (message) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        pipe.send(message);
      }),
    close: async () => pipe.close(),
  };
}
