import { percentile, Worker } from "@pawl/bench";
import type { Sample, Size } from "./cells.ts";
import type { ClientsAnswers, ClientsCommand, ServerAnswers, ServerCommand, ServerName } from "./commands.ts";

export interface Effort {
  /** Of rounds, milliseconds. */
  readonly ms: number;
  /** Clients that come before those that count. */
  readonly rehearsing: number;
}

/** One repetition at one size, with processes that have done nothing before. @param folder empty */
export async function measure(
  { clients, workers }: Size,
  { ms, rehearsing }: Effort,
  folder: string,
  signal: AbortSignal,
): Promise<{ sample: Sample; crypto: string }> {
  const pair = new Pair(signal);
  const { ports, crypto } = await pair.server.ask({
    type: "serve",
    folder,
    workers,
    clients: { rehearsal: rehearsing, stage: clients },
  });

  await pair.arrive("rehearsal", ports.rehearsal, 1, rehearsing);
  await pair.rounds("rehearsal", ms / 4);
  // Where they are in nobody's way they stay: memory that they leave would be used again, and the others look cheaper.
  const staying = ports.rehearsal !== ports.stage;
  if (!staying) await pair.leave("rehearsal");

  const before = await pair.usage({ collect: true });
  const arrived = await pair.arrive("stage", ports.stage, 1 + rehearsing, clients);
  const after = await pair.usage({ collect: true });
  if (staying) await pair.leave("rehearsal");

  await pair.rounds("stage", ms / 4);
  const { seconds, roundMs, processorMicros, systemMicros } = await pair.rounds("stage", ms);
  await pair.end();

  const sorted = [...roundMs].sort((a, b) => a - b);
  const contributions = roundMs.length * clients;
  const sample = {
    rounds: roundMs.length / seconds,
    contributions: contributions / seconds,
    "round-p50": percentile(sorted, 0.5),
    "round-p99": percentile(sorted, 0.99),
    "round-cpu": processorMicros / contributions,
    "round-kernel": systemMicros / contributions,
    handshakes: clients / arrived.seconds,
    "handshake-cpu": arrived.processorMicros / clients,
    ...(staying && {
      "idle-resident": (after.residentBytes - before.residentBytes) / clients,
      "idle-heap": (after.heapBytes - before.heapBytes) / clients,
    }),
  };
  return { sample, crypto };
}

/** The server's process and that of the clients. */
class Pair {
  readonly server: Worker<ServerCommand, ServerAnswers>;
  readonly #clients: Worker<ClientsCommand, ClientsAnswers>;

  constructor(signal: AbortSignal) {
    const options = { execArgv: ["--import", "tsx/esm"], signal };
    this.server = new Worker(new URL("./server-process.ts", import.meta.url), options);
    this.#clients = new Worker(new URL("./clients-process.ts", import.meta.url), options);
  }

  /** Connects them, until each has had the answer of a round of all. With the server's processor time until all were live. */
  async arrive(server: ServerName, port: number, firstId: number, clients: number) {
    const before = await this.usage({ collect: false });
    const [{ seconds }] = await Promise.all([
      this.server.ask({ type: "arrivals", server, clients }),
      this.#clients.ask({ type: "connect", server, port, firstId, clients }),
    ]);
    const after = await this.usage({ collect: false });
    await this.#clients.ask({ type: "gather", server });
    return { seconds, processorMicros: after.processorMicros - before.processorMicros };
  }

  /** With the processor time of the server, of all its processes. */
  async rounds(server: ServerName, ms: number) {
    const before = await this.usage({ collect: false });
    const span = await this.#clients.ask({ type: "rounds", server, ms });
    const after = await this.usage({ collect: false });
    return {
      ...span,
      processorMicros: after.processorMicros - before.processorMicros,
      systemMicros: after.systemMicros - before.systemMicros,
    };
  }

  leave(server: ServerName) {
    return this.#clients.ask({ type: "leave", server });
  }

  usage({ collect }: { collect: boolean }) {
    return this.server.ask({ type: "usage", collect });
  }

  async end(): Promise<void> {
    await this.#clients.end();
    await this.server.ask({ type: "close" });
    await this.server.end();
  }
}
