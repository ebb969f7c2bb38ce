/**
 * A way to talk over loopback, measured as lock-step round trips. A target's program is started twice, as server and as
 * client, in processes of their own; `run.ts` knows nothing else of it. A new peer is one file, and a line in `index.ts`.
 */
export interface Target {
  /** Starts a server that answers each message with the same bytes; resolves with its port. */
  serve(clients: number): Promise<{ port: number; state: unknown }>;
  /** Opens one connection. `state` is what `serve` gave, as JSON brings it. */
  connect(port: number, index: number, state: unknown): Promise<BenchConnection>;
}

export interface BenchConnection {
  /** Sends a message and resolves with the answer. */
  roundTrip(message: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}
