import { answer, type ProcessUsage, usage } from "@pawl/bench/inside";
import { defaultCrypto } from "@pawl/protocol";
import { createServer, createWorkers, type PawlServer, type ServerOptions } from "@pawl/server";
import { createDbKey, type KeyStore } from "@pawl/server/keys";
import { ArrivalClock } from "./arrivals.ts";
import type { ServerAnswers, ServerCommand, ServerName } from "./commands.ts";
import { enrol, PATIENCE_MS } from "./credentials.ts";
import { createDatabase, type Database } from "./database.ts";
import { usageOf } from "./worker-usage.ts";

/** The server, in a process of its own, which has workers or none. */

const WORKER = new URL("./worker-program.ts", import.meta.url);

type Serving = Pick<PawlServer, "events" | "listen" | "close">;

const servers = new Set<Serving>();
const clocks = new Map<ServerName, ArrivalClock>();
let database: Database | null = null;
/** Processes beside this one. */
let workers = 0;

answer(obey);

async function obey(command: ServerCommand): Promise<ServerAnswers[ServerCommand["type"]]> {
  switch (command.type) {
    case "serve":
      return serve(command);
    case "arrivals": {
      const clock = clocks.get(command.server);
      if (clock === undefined) throw new Error(`${command.server} does not serve`);
      return clock.expect(command.clients);
    }
    case "usage":
      return usageOfAll(command.collect);
    case "close":
      await Promise.all([...servers].map((server) => server.close()));
      return {};
  }
}

async function serve({ folder, clients, workers: wanted }: Extract<ServerCommand, { type: "serve" }>) {
  database = { folder, dbKey: [...createDbKey()] };
  const keys = await createDatabase(database);
  await enrol(keys, clients.rehearsal + clients.stage);
  const crypto = defaultCrypto().name;
  if (wanted === 1) {
    const ports = {
      rehearsal: await listen(["rehearsal"], createServer(optionsFor(keys, clients.rehearsal))),
      stage: await listen(["stage"], createServer(optionsFor(keys, clients.stage))),
    };
    return { ports, crypto };
  }
  workers = wanted;
  const options = optionsFor(keys, clients.rehearsal + clients.stage);
  // The workers of another server would be other processes: a rehearsal there would be of no use here.
  const port = await listen(
    ["rehearsal", "stage"],
    createWorkers({ ...options, workers, script: WORKER, data: database }),
  );
  return { ports: { rehearsal: port, stage: port }, crypto };
}

/** Gives the port. */
async function listen(names: readonly ServerName[], server: Serving): Promise<number> {
  servers.add(server);
  const clock = new ArrivalClock(server.events);
  for (const name of names) clocks.set(name, clock);
  return (await server.listen({ port: 0 })).port;
}

/** As `pawl serve` has it, but for limits that stop whoever brings a whole fleet from one address. */
function optionsFor(keys: KeyStore, clients: number): Omit<ServerOptions, "onMessage" | "crypto" | "random"> {
  return {
    keys,
    maxClients: clients,
    limits: {
      halfOpenPerAddress: clients,
      halfOpen: clients,
      handshakesPerSecond: 1_000_000,
      handshakeBurst: 1_000_000,
      idleMs: PATIENCE_MS,
    },
    // A machine that stalls must not make a round of some.
    rounds: { policy: "barrier", deadlineMs: PATIENCE_MS },
  };
}

/** Of this process and all workers together. */
async function usageOfAll(collect: boolean): Promise<ProcessUsage> {
  const folder = database?.folder ?? "";
  const ofWorkers = Array.from({ length: workers }, (_, index) => usageOf(folder, index + 1, collect));
  const all = [usage(collect), ...(await Promise.all(ofWorkers))];
  const sum = (of: (one: ProcessUsage) => number) => all.reduce((total, one) => total + of(one), 0);
  return {
    processorMicros: sum((one) => one.processorMicros),
    systemMicros: sum((one) => one.systemMicros),
    residentBytes: sum((one) => one.residentBytes),
    heapBytes: sum((one) => one.heapBytes),
  };
}
