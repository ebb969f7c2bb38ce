/** A figure of the bench against the number of clients. */
export interface ScaleCell {
  readonly name: string;
  readonly unit: string;
  /** What each client costs: whether it grows with their number is what the plot shows. */
  readonly perClient: boolean;
}

export const CELLS = [
  { name: "rounds", unit: "rounds/s", perClient: false },
  { name: "contributions", unit: "contributions/s", perClient: false },
  { name: "round-p50", unit: "ms", perClient: false },
  { name: "round-p99", unit: "ms", perClient: false },
  { name: "round-cpu", unit: "µs a client and round", perClient: true },
  { name: "round-kernel", unit: "µs a client and round", perClient: true },
  { name: "handshakes", unit: "handshakes/s", perClient: false },
  { name: "handshake-cpu", unit: "µs a handshake", perClient: true },
  { name: "idle-resident", unit: "bytes a connection", perClient: true },
  { name: "idle-heap", unit: "bytes a connection", perClient: true },
  { name: "serve-start", unit: "ms", perClient: false },
] as const satisfies readonly ScaleCell[];

export type CellName = (typeof CELLS)[number]["name"];

/** So many clients on a server of so many processes. */
export interface Size {
  /** Connected; where the start of a server is timed, enrolled. */
  readonly clients: number;
  readonly workers: number;
}

/** One repetition at one size. */
export type Sample = Readonly<Partial<Record<CellName, number>>>;
