import { readFile } from "node:fs/promises";
import { cpus } from "node:os";

/** What the figures depend on, beside the code. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly openssl: string;
  /** Versions of the peers that are packages. */
  readonly peers: Readonly<Record<string, string>>;
}

export async function machine(): Promise<Machine> {
  return {
    processor: cpus()[0]?.model.trim() || "unknown",
    cores: cpus().length,
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
    peers: await versionsOf(["@hyperswarm/secret-stream", "@chainsafe/libp2p-noise"]),
  };
}

async function versionsOf(names: readonly string[]): Promise<Record<string, string>> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(text);
  return Object.fromEntries(names.map((name) => [name, devDependencies[name] ?? "unknown"]));
}

export function describe({ processor, cores, system, node, openssl, peers }: Machine): string {
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return `${processor}, ${cores} cores, ${system}, Node.js ${node} with OpenSSL ${openssl}, ${versions.join(", ")}; over loopback.`;
}
