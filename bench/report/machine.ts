import { readFile } from "node:fs/promises";
import { describeMachine, type Machine, machine } from "@pawl/bench";

export interface MachineWithPeers extends Machine {
  /** Versions of the peers that are packages. */
  readonly peers: Readonly<Record<string, string>>;
}

export async function machineWithPeers(): Promise<MachineWithPeers> {
  return {
    ...machine(),
    peers: await versionsOf(["@hyperswarm/secret-stream", "@chainsafe/libp2p-noise"]),
  };
}

async function versionsOf(names: readonly string[]): Promise<Record<string, string>> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(text);
  return Object.fromEntries(names.map((name) => [name, devDependencies[name] ?? "unknown"]));
}

export function describe({ peers, ...here }: MachineWithPeers): string {
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return describeMachine(here, ...versions);
}
