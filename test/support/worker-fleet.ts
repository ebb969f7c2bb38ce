import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Aggregate,
  type CredentialStore,
  connect,
  type EndInfo,
  memoryCredential,
  type PawlConnection,
  parseCredential,
} from "@pawl/client";
import type { EventOf, PawlServerEvent, PawlServerEventType } from "@pawl/server";
import { inTime, tally } from "../../packages/server/src/testing/in-time.ts";
import { type Finished, pawl, pawlOnce, type Running } from "./pawl.ts";

/** A session with a server whose failure to answer is told, not waited for. */
export class FleetClient {
  readonly #connection: PawlConnection;
  readonly #seen: () => string;

  constructor(connection: PawlConnection, seen: () => string) {
    this.#connection = connection;
    this.#seen = seen;
  }

  send(text: string): Promise<Aggregate> {
    return this.#inTime(`the answer to ${text}`, this.#connection.send(text));
  }

  async request(text: string): Promise<string> {
    const answer = this.#connection.request(text);
    return new TextDecoder().decode(await this.#inTime(`the answer to ${text}`, answer));
  }

  /** How its session ended. */
  ended(): Promise<EndInfo> {
    return this.#inTime("the end of the session", this.#connection.closed);
  }

  #inTime<T>(what: string, promise: Promise<T>): Promise<T> {
    const bounded = inTime(`client ${this.#connection.clientId}: ${what}`, promise, this.#seen);
    // A test that has failed before it came to wait for this one has said enough.
    bounded.catch(() => {});
    return bounded;
  }
}

/** `pawl serve --workers` as processes, with clients that are enrolled there. What does not happen in time is an error. */
export interface WorkerFleet {
  readonly cwd: string;
  readonly server: Running;
  readonly port: number;
  /** Those of the server so far. */
  events(): PawlServerEvent[];
  /** All of that, in short. */
  seen(): string;
  /** Waits until there are `count` events of this kind. */
  event<T extends PawlServerEventType>(
    type: T,
    matches?: (event: EventOf<T>) => boolean,
    count?: number,
  ): Promise<EventOf<T>[]>;
  /** By client id. Its credential is in memory, so that two connections can have it. */
  connect(clientId: number): Promise<FleetClient>;
  /** Process ids of the workers that were started, the latest last, by worker. */
  pids(worker: number): number[];
  /** Waits until the server and its workers have ended: all of them have its stdout. */
  finished(): Promise<Finished>;
  close(): Promise<void>;
}

/** A folder with a home in it that has so many clients enrolled. */
export async function folderWithHome(clients: number, add: readonly string[] = []): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), "pawl-workers-"));
  const must = async (...args: string[]) => {
    const { code, stderr } = await pawlOnce(args, { cwd });
    if (code !== 0) throw new Error(`pawl ${args.join(" ")}: ${stderr}`);
  };
  await must("init");
  await must("keys", "add", "--count", String(clients), ...add);
  return cwd;
}

export async function startWorkerFleet(
  clients: number,
  { serve = [], add = [] }: { serve?: readonly string[]; add?: readonly string[] } = {},
): Promise<WorkerFleet> {
  const cwd = await folderWithHome(clients, add);
  const server = pawl(["serve", "--workers", "2", "--json", "--listen", "127.0.0.1:0", ...serve], { cwd });
  const events = () => {
    const lines = server.stdout().split("\n");
    // What stands behind the last line break is not whole yet.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as PawlServerEvent);
  };
  const seen = () => {
    const stderr = server.stderr();
    return stderr === "" ? tally(events()) : `${tally(events())}; ${stderr}`;
  };
  const pids = (worker: number) =>
    events().flatMap((event) =>
      event.type === "worker-started" && event.worker === worker ? [event.pid] : [],
    );
  const finished = () => inTime("the end of the server", server.finished, seen);
  const credentials = new Map<number, CredentialStore>();
  const opened: PawlConnection[] = [];
  const close = async () => {
    server.child.kill("SIGKILL");
    // Workers that would outlive it are what a test may be about.
    for (const pid of [...pids(1), ...pids(2)]) if (isRunning(pid)) process.kill(pid, "SIGKILL");
    await Promise.allSettled(opened.map((connection) => connection.close()));
    await finished();
    await rm(cwd, { recursive: true, force: true });
  };
  const listening = inTime("the server to listen", server.until(/"type":"listening".*"port":(\d+)/), seen);
  const [, port = ""] = await listening.catch(async (error) => {
    await close();
    throw error;
  });
  // Behind the listener that gathers what came.
  const waiting: (() => void)[] = [];
  server.child.stdout?.on("data", () => {
    for (const resolve of waiting.splice(0)) resolve();
  });
  return {
    cwd,
    server,
    port: Number(port),
    events,
    seen,
    pids,
    finished,
    close,
    event: (type, matches = () => true, count = 1) => {
      type Wanted = EventOf<typeof type>;
      const come = async () => {
        for (;;) {
          const found = events().filter(
            (event): event is Wanted => event.type === type && matches(event as Wanted),
          );
          if (found.length >= count) return found;
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
      };
      return inTime(`${type} ×${count} with ${matches}`, come(), seen);
    },
    connect: async (clientId) => {
      const credential =
        credentials.get(clientId) ??
        memoryCredential(
          parseCredential(await readFile(join(cwd, `client-${clientId}.pawl`), "utf8"), null).credential,
        );
      credentials.set(clientId, credential);
      const connecting = connect({ credential, host: "127.0.0.1", port: Number(port) });
      const connection = await inTime(`client ${clientId} to connect`, connecting, seen);
      opened.push(connection);
      return new FleetClient(connection, seen);
    },
  };
}

/** Whether there is such a process. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
