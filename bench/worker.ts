import { MEASUREMENTS } from "./cells/index.ts";
import type { Clients, Setting } from "./cells/measurement.ts";
import type { Answers, Command, ProcessUsage, Reply } from "./commands.ts";
import { TARGETS } from "./targets/index.ts";
import type { Dial, Target } from "./targets/target.ts";

/** One side of a target, in a process of its own: does what the bench asks, one command after the other. */

if (process.send === undefined) {
  process.stderr.write("this is a part of npm run bench, which starts it\n");
  process.exit(2);
}

let clients: Clients | null = null;

process.on("message", async (command: Command) => {
  let reply: Reply;
  try {
    reply = { answer: await obey(command) };
  } catch (error) {
    reply = { failure: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(reply);
});
// The bench is gone, or done with us.
process.on("disconnect", () => process.exit(0));

async function obey(command: Command): Promise<Answers[Command["type"]]> {
  switch (command.type) {
    case "serve":
      return { port: await (await targetOf(command.target)).serve(command.options) };
    case "connect": {
      const { target, port, setting } = command;
      clients = await connect(await (await targetOf(target)).dialer(port, setting.clients), setting);
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

async function targetOf(name: string): Promise<Target> {
  const load = TARGETS[name];
  if (load === undefined) throw new Error(`no target is called ${name}`);
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

function usage(collect: boolean): ProcessUsage {
  const processorMicros = processorTime();
  if (collect) {
    // Twice: what the first lets go of may be what holds more.
    globalThis.gc?.();
    globalThis.gc?.();
  }
  return { processorMicros, residentBytes: process.memoryUsage.rss() };
}

/** Microseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
