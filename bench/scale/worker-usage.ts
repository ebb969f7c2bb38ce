import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { type ProcessUsage, usage } from "@pawl/bench/inside";

/** A worker is the server's process, which talks with it in its own way: the bench asks it over a socket beside the database. */

const COLLECT = "collect";

/** In a worker, until it ends. */
export async function tellUsage(folder: string, worker: number): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let asked = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      asked += text;
    });
    socket.once("end", () => socket.end(JSON.stringify(usage(asked === COLLECT))));
  });
  server.listen(pathOf(folder, worker));
  await once(server, "listening");
}

/** Of one worker, 1 …, garbage collected where that is asked for. */
export async function usageOf(folder: string, worker: number, collect: boolean): Promise<ProcessUsage> {
  const socket = connect({ path: pathOf(folder, worker), allowHalfOpen: true });
  socket.end(collect ? COLLECT : "");
  // What `tellUsage` sends.
  return (await json(socket)) as ProcessUsage;
}

function pathOf(folder: string, worker: number): string {
  return join(folder, `worker-${worker}`);
}
