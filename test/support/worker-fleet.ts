import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CredentialStore,
  connect,
  memoryCredential,
  type PawlConnection,
  parseCredential,
} from "@pawl/client";
import type { EventOf, PawlServerEvent, PawlServerEventType } from "@pawl/server";
import { pawl, pawlOnce, type Running } from "./pawl.ts";

/** `pawl serve --workers` as processes, with clients that are enrolled there. */
export interface WorkerFleet {
  readonly cwd: string;
  readonly server: Running;
  readonly port: number;
  /** Those of the server so far. */
  events(): PawlServerEvent[];
  /** Waits until there are `count` events of this kind. */
  event<T extends PawlServerEventType>(
    type: T,
    matches?: (event: EventOf<T>) => boolean,
    count?: number,
  ): Promise<EventOf<T>[]>;
  /** By client id. Its credential is in memory, so that two connections can have it. */
  connect(clientId: number): Promise<PawlConnection>;
  /** Process ids of the workers that were started, the latest last, by worker. */
  pids(worker: number): number[];
  close(): Promise<void>;
}

export async function startWorkerFleet(
  clients: number,
  { serve = [], add = [] }: { serve?: readonly string[]; add?: readonly string[] } = {},
): Promise<WorkerFleet> {
  const cwd = await mkdtemp(join(tmpdir(), "pawl-workers-"));
  const must = async (...args: string[]) => {
    const { code, stderr } = await pawlOnce(args, { cwd });
    if (code !== 0) throw new Error(`pawl ${args.join(" ")}: ${stderr}`);
  };
  await must("init");
  await must("keys", "add", "--count", String(clients), ...add);
  const server = pawl(["serve", "--workers", "2", "--json", "--listen", "127.0.0.1:0", ...serve], { cwd });
  const [, port = ""] = await server.until(/"type":"listening".*"port":(\d+)/);
  // Behind the listener that gathers what came.
  const waiting: (() => void)[] = [];
  server.child.stdout?.on("data", () => {
    for (const resolve of waiting.splice(0)) resolve();
  });
  const credentials = new Map<number, CredentialStore>();
  const opened: PawlConnection[] = [];
  const events = () => {
    const lines = server.stdout().split("\n");
    // What stands behind the last line break is not whole yet.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as PawlServerEvent);
  };
  const pids = (worker: number) =>
    events().flatMap((event) =>
      event.type === "worker-started" && event.worker === worker ? [event.pid] : [],
    );
  return {
    cwd,
    server,
    port: Number(port),
    events,
    pids,
    event: async (type, matches = () => true, count = 1) => {
      type Wanted = EventOf<typeof type>;
      for (;;) {
        const found = events().filter(
          (event): event is Wanted => event.type === type && matches(event as Wanted),
        );
        if (found.length >= count) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    connect: async (clientId) => {
      const credential =
        credentials.get(clientId) ??
        memoryCredential(
          parseCredential(await readFile(join(cwd, `client-${clientId}.pawl`), "utf8"), null).credential,
        );
      credentials.set(clientId, credential);
      const connection = await connect({ credential, host: "127.0.0.1", port: Number(port) });
      opened.push(connection);
      return connection;
    },
    close: async () => {
      await Promise.allSettled(opened.map((connection) => connection.close()));
      server.child.kill("SIGKILL");
      await server.finished;
      await rm(cwd, { recursive: true, force: true });
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
