import { cpus } from "node:os";

/** What the figures depend on, beside the code. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly openssl: string;
}

export function machine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() || "unknown",
    cores: cpus().length,
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
  };
}

/** In one line. @param more that the figures of this run depend on */
export function describeMachine(
  { processor, cores, system, node, openssl }: Machine,
  ...more: readonly string[]
): string {
  const parts = [processor, `${cores} cores`, system, `Node.js ${node} with OpenSSL ${openssl}`, ...more];
  return `${parts.join(", ")}; over loopback.`;
}
