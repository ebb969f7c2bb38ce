import { join } from "node:path";
import { connect, memoryCredential } from "@pawl/client";
import {
  type CryptoProvider,
  clientId,
  defaultCrypto,
  type Epoch,
  nodeCrypto,
  type SuiteName,
  suiteByName,
} from "@pawl/protocol";
import { createServer } from "@pawl/server";
import { createDbKey, createMemoryStore, type KeyStore, openSqliteStore } from "@pawl/server/keys";
import type { Target } from "./target.ts";

export type ProviderName = "native" | "node";

/** Pawl on one of its providers. Clients have their secrets in memory; the server has them on a disk where there is a folder. */
export function pawl(suiteName: SuiteName, provider: ProviderName): Target {
  const suite = suiteByName(suiteName);
  if (suite === undefined) throw new Error(`no suite is called ${suiteName}`);
  return {
    applications: ["echo", "rounds"],
    unavailable: () =>
      providerOf(provider) === null
        ? "the native record layer does not load; PAWL_CRYPTO=native pawl --version says why"
        : null,
    serve: async ({ application, clients, folder }) => {
      const crypto = providerHere(provider);
      const keys = folder === null ? createMemoryStore() : await durableStore(folder);
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
        crypto,
        // One address brings a whole fleet here.
        limits: {
          halfOpenPerAddress: clients,
          halfOpen: clients,
          handshakesPerSecond: 1_000_000,
          handshakeBurst: 1_000_000,
        },
        ...(application === "echo"
          ? { onMessage: (_session, message) => message }
          : // A machine that stalls must not make a round of some: its product would be a wrong answer.
            { rounds: { deadlineMs: 60_000 } }),
      });
      return (await server.listen({ host: "127.0.0.1", port: 0 })).port;
    },
    dialer: async (port, clients) => {
      const crypto = providerHere(provider);
      const credentials = Array.from({ length: clients }, (_, index) =>
        memoryCredential({
          suite,
          clientId: clientId(index + 1),
          epoch: 0 as Epoch,
          secret: secretOf(index),
          last: new Uint8Array(16),
        }),
      );
      return async (index) => {
        const credential = credentials[index];
        if (credential === undefined) throw new Error(`no client has the index ${index}`);
        const session = await connect({ credential, host: "127.0.0.1", port, crypto });
        return { roundTrip: (message) => session.request(message), close: () => session.close() };
      };
    },
  };
}

/** As `pawl init` and `pawl serve` have it: every commit is synced, every secret wrapped. */
function durableStore(folder: string): Promise<KeyStore> {
  const key = createDbKey();
  return openSqliteStore({ path: join(folder, "keys.db"), create: true, dbKeys: async () => [key.slice()] });
}

/** Both processes know them: a bench has no secrets. */
function secretOf(index: number): Uint8Array {
  const secret = new Uint8Array(32).fill(7);
  new DataView(secret.buffer).setUint32(0, index);
  return secret;
}

/** Null where it does not load. The bench takes PAWL_CRYPTO away, so that the default is the native one where there is one. */
function providerOf(name: ProviderName): CryptoProvider | null {
  if (name === "node") return nodeCrypto;
  return defaultCrypto().name === name ? defaultCrypto() : null;
}

/** In the process of one side: what else asks for crypto there, such as a key database, is to have the same. */
function providerHere(name: ProviderName): CryptoProvider {
  if (name === "node") process.env.PAWL_CRYPTO = "node";
  const provider = providerOf(name);
  if (provider === null) throw new Error(`the provider ${name} does not load`);
  return provider;
}
