import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually, HANGS_MS, type PawlProcess, type Processes } from "./processes.ts";
import { TARGET, type World } from "./world.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** @param name of its output among the logs */
export function startServer(
  processes: Processes,
  { home, logs }: World,
  name: string,
  env: Readonly<Record<string, string>>,
): PawlProcess {
  const args = ["serve", "--json", "--home", home, "--listen", "127.0.0.1:0", "--round-deadline", "150ms"];
  return processes.start({ args, env, output: join(logs, name) });
}

/** Where it listens; null where it ended before it did. */
export async function portOf(server: PawlProcess): Promise<number | null> {
  const found = await eventually(HANGS_MS, async () => {
    const listening = (await server.objects()).find(({ type }) => type === "listening");
    if (listening !== undefined) return { port: Number(listening.port) };
    return server.alive ? null : { port: null };
  });
  return found?.port ?? null;
}

/** The target, with all that it is to say at once. @param name of its output among the logs */
export async function startTarget(
  processes: Processes,
  world: World,
  name: string,
  session: {
    readonly at: Address;
    readonly lines: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<PawlProcess> {
  const { at, lines, env } = session;
  const output = join(world.logs, name);
  await writeFile(`${output}.in`, lines.map((line) => `${line}\n`).join(""));
  const args = ["connect", world.credential(TARGET), `${at.host}:${at.port}`, "--json"];
  return processes.start({ args, env, input: `${output}.in`, output });
}
