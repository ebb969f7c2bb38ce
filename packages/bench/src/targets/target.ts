/** What a server does with messages: answer each with the same bytes, or answer all clients of a round at once with its product. */
export type Application = "echo" | "rounds";

export interface ServeOptions {
  readonly application: Application;
  /** How many clients the server has to know; their indices are 0 … clients − 1. */
  readonly clients: number;
  /** A folder on a disk, for a target that has something to keep there; null: nothing has to survive. */
  readonly folder: string | null;
}

/**
 * A way to talk over loopback. Its program is started twice, as server and as clients, in processes of their own; the bench
 * knows nothing else of it.
 */
export interface Target {
  readonly applications: readonly Application[];
  /** Why it cannot be measured here; null where it can. */
  unavailable?(): string | null;
  /** Resolves with the port that it listens at. */
  serve(options: ServeOptions): Promise<number>;
  /** Makes ready what `clients` clients need before they connect. */
  dialer(port: number, clients: number): Promise<Dial>;
}

/** Opens the connection of one client, handshake included. An index is used once. */
export type Dial = (index: number) => Promise<BenchConnection>;

export interface BenchConnection {
  /** Sends a message and resolves with the answer. */
  roundTrip(message: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}
