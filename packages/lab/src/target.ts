import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { BlockList, connect, isIPv6 } from "node:net";
import { ConnectError, type CredentialStore } from "@pawl/client";
import { type Suite, wipe } from "@pawl/protocol";
import type { Site } from "./site.ts";
import { UnfitStageError } from "./stage.ts";
import type { Enrolled } from "./world/enrolled.ts";
import { Primes } from "./world/primes.ts";

/** A server that is somebody else's, with what the lab was given of it. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Of clients that are enrolled there, one at least; all of one suite. They are moved forward as their sessions go. */
  readonly credentials: readonly CredentialStore[];
}

/** How long a target may take to accept a connection, milliseconds. */
const REACH_MS = 5_000;

/**
 * Where attacks on a target are carried out, with the suite of its clients.
 * @throws ConnectError where nobody listens; CredentialError; TypeError where the clients are of several suites
 */
export async function siteOfTarget({ host, port, credentials }: Target): Promise<Site> {
  await reach(host, port);
  const primes = new Primes();
  const clients: Enrolled[] = [];
  for (const store of credentials) {
    const { clientId, suite, secret } = await store.load();
    wipe(secret);
    await store.close();
    clients.push({ clientId, suite, store, prime: primes.next() });
  }
  const suite = theSuite(clients);
  let next = 0;
  return {
    suite,
    at: { host, port },
    world: null,
    enrol: async (count) => {
      if (count > clients.length) {
        throw new UnfitStageError(`takes ${count} clients at once, and ${clients.length} were given`);
      }
      return Array.from({ length: count }, () => clients[next++ % clients.length] as Enrolled);
    },
  };
}

async function reach(host: string, port: number): Promise<void> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(REACH_MS) });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new ConnectError(`${host}:${port}`, code ?? message, { cause: cause as Error });
  } finally {
    socket.destroy();
  }
}

function theSuite(clients: readonly Enrolled[]): Suite {
  const [first, ...others] = clients;
  if (first === undefined) throw new TypeError("a target takes one credential at least");
  for (const { suite, clientId } of others) {
    if (suite !== first.suite) {
      throw new TypeError(
        `client ${clientId} is of suite ${suite.name}, client ${first.clientId} of ${first.suite.name}; give those of one suite`,
      );
    }
  }
  return first.suite;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** An address of a host, and whether all that it has are of this machine alone. @throws the resolver's error */
export async function resolveTarget(host: string): Promise<{ address: string; loopback: boolean }> {
  const found = await lookup(host, { all: true });
  const loopback = found.every(({ address }) => LOOPBACK.check(address, isIPv6(address) ? "ipv6" : "ipv4"));
  return { address: found[0]?.address ?? host, loopback };
}
