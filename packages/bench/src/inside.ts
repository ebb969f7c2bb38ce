import type { ProcessUsage, Reply } from "./commands.ts";

export type { ProcessUsage } from "./commands.ts";

/** A process of the bench, from its own side: what all of them do. */

/** Does what the bench asks, one command after the other, until the bench is gone or done with us. */
export function answer<C>(obey: (command: C) => Promise<object>): void {
  if (process.send === undefined) {
    process.stderr.write("this is a part of a bench, which starts it\n");
    process.exit(2);
  }
  process.on("message", async (command: C) => {
    let reply: Reply;
    try {
      reply = { answer: await obey(command) };
    } catch (error) {
      reply = { failure: error instanceof Error ? error.message : String(error) };
    }
    process.send?.(reply, undefined, {}, (error) => {
      // The bench is gone, and there is nobody to tell.
      if (error !== null) process.exit(0);
    });
  });
  process.on("disconnect", () => process.exit(0));
}

export function usage(collect: boolean): ProcessUsage {
  const { user, system } = process.cpuUsage();
  if (collect) {
    // Twice: what the first lets go of may be what holds more.
    globalThis.gc?.();
    globalThis.gc?.();
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { processorMicros: user + system, systemMicros: system, residentBytes: rss, heapBytes: heapUsed };
}

/** Of this process and all of its threads, µs. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
