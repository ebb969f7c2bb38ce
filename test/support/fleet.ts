import { type CredentialStore, connect, memoryCredential, type PawlConnection } from "@pawl/client";
import { type ClientId, clientId, type Epoch, STRICT, type Suite, utf8 } from "@pawl/protocol";
import { systemRandom } from "@pawl/protocol/driver";
import { createServer, type PawlServer, type PawlServerEvent, type ServerOptions } from "@pawl/server";
import { createMemoryStore, type KeyStore } from "@pawl/server/keys";

/** A server on a free port of loopback with enrolled clients, for tests over real sockets. */
export interface Fleet {
  readonly keys: KeyStore;
  readonly server: PawlServer;
  readonly port: number;
  readonly events: PawlServerEvent[];
  readonly credentials: CredentialStore[];
  connect(index: number, options?: { port?: number }): Promise<PawlConnection>;
  /** Waits for an event that has come or is to come. */
  event<T extends PawlServerEvent["type"]>(
    type: T,
    matches?: (event: Extract<PawlServerEvent, { type: T }>) => boolean,
  ): Promise<Extract<PawlServerEvent, { type: T }>>;
  close(): Promise<void>;
}

export const BASEKEY = utf8("basekey");

/** A credential kept in memory, with the secret that the store has for this client. */
export function credentialOf(suite: Suite, id: ClientId, secret: Uint8Array): CredentialStore {
  return memoryCredential({ suite, clientId: id, epoch: 0 as Epoch, secret, last: new Uint8Array(16) });
}

export async function startFleet(
  count: number,
  options: Partial<ServerOptions> & { suite?: Suite } = {},
): Promise<Fleet> {
  const { suite = STRICT, ...serverOptions } = options;
  const keys = options.keys ?? createMemoryStore();
  const secrets = Array.from({ length: count }, () => (suite.strict ? systemRandom(32) : BASEKEY));
  const ids = secrets.map((_, index) => clientId(index + 1));
  await keys.add(
    secrets.map((secret, index) => ({ clientId: ids[index] ?? clientId(1), suite, secret })),
    {
      maxClients: Math.max(count, 100),
    },
  );
  const server = createServer({
    keys,
    maxClients: Math.max(count, 100),
    ...(suite.strict ? {} : { suites: [suite] }),
    ...serverOptions,
  });
  const events: PawlServerEvent[] = [];
  const waiting = new Set<(event: PawlServerEvent) => void>();
  server.events.onAny((event) => {
    events.push(event);
    for (const look of waiting) look(event);
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const credentials = secrets.map((secret, index) => credentialOf(suite, ids[index] ?? clientId(1), secret));
  const opened: PawlConnection[] = [];
  return {
    keys,
    server,
    port,
    events,
    credentials,
    connect: async (index, { port: through = port } = {}) => {
      const credential = credentials[index];
      if (credential === undefined) throw new RangeError(`no client ${index}`);
      const connection = await connect({ credential, host: "127.0.0.1", port: through });
      opened.push(connection);
      return connection;
    },
    event: (type, matches = () => true) => {
      type Wanted = Extract<PawlServerEvent, { type: typeof type }>;
      const fits = (event: PawlServerEvent): event is Wanted =>
        event.type === type && matches(event as Wanted);
      const past = events.find(fits);
      if (past !== undefined) return Promise.resolve(past);
      return new Promise((resolve) => {
        const look = (event: PawlServerEvent) => {
          if (!fits(event)) return;
          waiting.delete(look);
          resolve(event);
        };
        waiting.add(look);
      });
    },
    close: async () => {
      await Promise.allSettled(opened.map((connection) => connection.close()));
      await server.close({ graceMs: 500 });
      await keys.close();
    },
  };
}
