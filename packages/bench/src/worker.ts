import { MEASUREMENTS } from "./cells/index.ts";
import type { Clients, Setting } from "./cells/measurement.ts";
import type { Answers, Command } from "./commands.ts";
import { answer, usage } from "./inside.ts";
import type { Targets } from "./targets/index.ts";
import type { Dial, Target } from "./targets/target.ts";

/** One side of a target, in a process of its own: does what the bench asks, one command after the other. */

let clients: Clients | null = null;

answer(obey);

async function obey(command: Command): Promise<Answers[Command["type"]]> {
  switch (command.type) {
    case "serve":
      return { port: await (await targetOf(command)).serve(command.options) };
    case "connect": {
      const { port, setting } = command;
      clients = await connect(await (await targetOf(command)).dialer(port, setting.clients), setting);
      return { connected: clients.connected.length };
    }
    case "work": {
      const measurement = MEASUREMENTS.find(({ name }) => name === command.measurement);
      if (measurement === undefined || clients === null) throw new Error("nothing to do");
      return measurement.work(clients, command.effort);
    }
    case "usage":
      return usage(command.collect);
  }
}

async function targetOf({ module, target }: { module: string; target: string }): Promise<Target> {
  const { TARGETS }: { TARGETS: Targets } = await import(module);
  const load = TARGETS[target];
  if (load === undefined) throw new Error(`no target is called ${target}`);
  return load();
}

/** The clients of one setting; those of the one before it leave. */
async function connect(dial: Dial, setting: Setting): Promise<Clients> {
  await Promise.all((clients?.connected ?? []).map((connection) => connection.close()));
  let used = 0;
  const next = () => dial(used++);
  const connected = await Promise.all(Array.from({ length: setting.connected }, next));
  return { connected, dial: next };
}
