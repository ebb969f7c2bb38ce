import { connect, memoryCredential } from "@pawl/client";
import { clientId, type Epoch, type Suite } from "@pawl/protocol";
import { createServer } from "@pawl/server";
import { createMemoryStore } from "@pawl/server/keys";
import type { Target } from "./target.ts";

/** Pawl with keys in memory: what is measured is the channel, not a disk. */
export function pawl(suite: Suite): Target {
  // Both processes know them: a bench has no secrets.
  const secretOf = (index: number) => new Uint8Array(32).fill(index % 251);
  return {
    serve: async (clients) => {
      const keys = createMemoryStore();
      await keys.add(
        Array.from({ length: clients }, (_, index) => ({
          clientId: clientId(index + 1),
          suite,
          secret: secretOf(index),
        })),
        { maxClients: clients },
      );
      const server = createServer({
        keys,
        maxClients: clients,
        onMessage: (_session, message) => message,
        limits: { halfOpenPerAddress: clients + 10, handshakesPerSecond: 100_000, handshakeBurst: 100_000 },
      });
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      return { port, state: null };
    },
    connect: async (port, index) => {
      const credential = memoryCredential({
        suite,
        clientId: clientId(index + 1),
        epoch: 0 as Epoch,
        secret: secretOf(index),
        last: new Uint8Array(16),
      });
      const session = await connect({ credential, host: "127.0.0.1", port });
      return { roundTrip: (message) => session.request(message), close: () => session.close() };
    },
  };
}
